//! Why a GPU can't be trained on.

/// Why a GPU can't be trained on, or not any more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    /// There is no GPU to train on, or none that is called so.
    #[error(
        "there is no {wanted} that Charcell can train on: {found}; install the GPU's driver (on \
         Debian, mesa-vulkan-drivers for AMD and Intel, nvidia-driver for NVIDIA), see what \
         `charcell devices` lists, or train with --device cpu"
    )]
    NotFound {
        /// What was looked for.
        wanted: String,
        /// What there is instead.
        found: String,
    },
    /// A model doesn't fit the GPU.
    #[error("{what} exceeds the GPU's {limit} of {allowed}: {mend}")]
    Limit {
        /// What is too large, with its size.
        what: String,
        /// The limit, by WebGPU's name.
        limit: &'static str,
        /// Its value.
        allowed: u64,
        /// What would fit.
        mend: String,
    },
    /// The GPU is gone.
    #[error("{adapter} was lost in training ({reason}): start again, or train with --device cpu")]
    Lost {
        /// Its name.
        adapter: String,
        /// What the driver says.
        reason: String,
    },
    /// The GPU's memory isn't enough.
    #[error(
        "{adapter} has too little memory: give a smaller --batch-size, --num-steps, --hidden or \
         --layers"
    )]
    Memory {
        /// Its name.
        adapter: String,
    },
    /// The GPU doesn't answer.
    #[error(
        "{adapter} didn't answer within {seconds} seconds: train with --device cpu, or update its \
         driver"
    )]
    Timeout {
        /// Its name.
        adapter: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The GPU's driver reports something else.
    #[error("{adapter} can't go on: {reason}; train with --device cpu, or update its driver")]
    Driver {
        /// Its name.
        adapter: String,
        /// What the driver says.
        reason: String,
    },
}
