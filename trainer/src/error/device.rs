//! Errors about the device that trains.

/// Why a device can't train.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// There is no usable GPU, or none with the given name.
    #[error(
        "there is no {wanted} that Charcell can train on: {found}; install the GPU's driver (on \
         Debian, mesa-vulkan-drivers for AMD and Intel, nvidia-driver for NVIDIA), or train on the \
         CPU"
    )]
    NoGpu {
        /// The GPU that was requested.
        wanted: String,
        /// What was found instead.
        found: String,
    },
    /// A model doesn't fit the GPU.
    #[error(
        "{what} exceeds the GPU's {limit} of {allowed}: {}",
        match fitting_batch_size {
            Some(rows) => format!("a batch of {rows} rows fits"),
            None => "no batch is small enough, so use fewer hidden units or steps".into(),
        }
    )]
    GpuLimit {
        /// What is too large, with its size.
        what: String,
        /// The limit: WebGPU's name for it, if it has one.
        limit: &'static str,
        /// Its value.
        allowed: u64,
        /// The largest batch that fits, if any does.
        fitting_batch_size: Option<usize>,
    },
    /// The GPU was lost.
    #[error("{adapter} was lost during training ({reason}): start again, or train on the CPU")]
    GpuLost {
        /// Its name.
        adapter: String,
        /// The driver's message.
        reason: String,
    },
    /// The GPU has too little memory.
    #[error("{adapter} has too little memory: use smaller batches, fewer steps or a smaller model")]
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
        /// How long Charcell waited.
        seconds: u64,
    },
    /// The GPU's driver reports another error.
    #[error("{adapter} can't continue: {reason}; train on the CPU, or update its driver")]
    Gpu {
        /// Its name.
        adapter: String,
        /// The driver's message.
        reason: String,
    },
    /// Training on the CPU needs more memory than is free.
    #[error(
        "training needs {:.1} GB of memory, but only {:.1} GB are free: use smaller batches, fewer \
         steps or a smaller model",
        needed_bytes * 1e-9,
        available_bytes * 1e-9
    )]
    Memory {
        /// Memory for parameters and activations.
        needed_bytes: f64,
        /// Memory that the system has free.
        available_bytes: f64,
    },
    /// More threads were requested than are allowed.
    #[error("{threads} threads were requested, but at most {largest} are allowed: use fewer")]
    TooManyThreads {
        /// Threads requested.
        threads: usize,
        /// The largest allowed number.
        largest: usize,
    },
    /// The threads for training can't be started.
    #[error("cannot start {threads} threads: {reason}; use fewer")]
    Threads {
        /// Threads requested.
        threads: usize,
        /// The system's message.
        reason: String,
    },
}
