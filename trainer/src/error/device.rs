//! What can be wrong with a device to train on.

/// Why a device can't train.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// There is no GPU to train on, or none that is called so.
    #[error(
        "there is no {wanted} that Charcell can train on: {found}; install the GPU's driver (on \
         Debian, mesa-vulkan-drivers for AMD and Intel, nvidia-driver for NVIDIA), or train on the \
         CPU"
    )]
    NoGpu {
        /// What was looked for.
        wanted: String,
        /// What there is instead.
        found: String,
    },
    /// A model doesn't fit the GPU.
    #[error(
        "{what} exceeds the GPU's {limit} of {allowed}: {}",
        match fitting_batch_size {
            Some(rows) => format!("a batch of {rows} rows fits"),
            None => "no batch is small enough, so take fewer hidden units or steps".into(),
        }
    )]
    GpuLimit {
        /// What is too large, with its size.
        what: String,
        /// The limit, by WebGPU's name.
        limit: &'static str,
        /// Its value.
        allowed: u64,
        /// The largest batch that fits, if any does.
        fitting_batch_size: Option<usize>,
    },
    /// The GPU is gone.
    #[error("{adapter} was lost in training ({reason}): start again, or train on the CPU")]
    GpuLost {
        /// Its name.
        adapter: String,
        /// What the driver says.
        reason: String,
    },
    /// The GPU's memory isn't enough.
    #[error(
        "{adapter} has too little memory: take smaller batches, fewer steps, or a smaller model"
    )]
    GpuMemory {
        /// Its name.
        adapter: String,
    },
    /// The GPU doesn't answer.
    #[error(
        "{adapter} didn't answer within {seconds} seconds: train on the CPU, or update its driver"
    )]
    GpuTimeout {
        /// Its name.
        adapter: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The GPU's driver reports something else.
    #[error("{adapter} can't go on: {reason}; train on the CPU, or update its driver")]
    Gpu {
        /// Its name.
        adapter: String,
        /// What the driver says.
        reason: String,
    },
    /// Training on the CPU needs more memory than there is.
    #[error(
        "training takes {:.1} GB of memory, and {:.1} GB are free: take smaller batches, fewer \
         steps, or a smaller model",
        needed_bytes * 1e-9,
        available_bytes * 1e-9
    )]
    Memory {
        /// What parameters and activations take.
        needed_bytes: f64,
        /// What the system has to give.
        available_bytes: f64,
    },
    /// More threads are asked for than make sense.
    #[error("{threads} threads are asked for, and {largest} are the most: take fewer")]
    TooManyThreads {
        /// Threads asked for.
        threads: usize,
        /// The most there may be.
        largest: usize,
    },
    /// The threads for training can't be started.
    #[error("cannot start {threads} threads: {reason}; take fewer")]
    Threads {
        /// Threads asked for.
        threads: usize,
        /// What the system says.
        reason: String,
    },
}
