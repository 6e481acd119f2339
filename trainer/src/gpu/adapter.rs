//! The GPUs of this machine, and which one to use.

use std::fmt;

use wgpu::{Backend, DeviceType, DownlevelFlags, Limits};

use super::limits::too_small;
use crate::error::DeviceError;

/// A device that a driver offers: a GPU, or software that emulates one.
#[derive(Debug, Clone)]
pub struct Adapter {
    adapter: wgpu::Adapter,
    info: Box<wgpu::AdapterInfo>,
}

/// Kinds of adapters, the fastest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AdapterKind {
    /// A GPU with memory of its own.
    Discrete,
    /// A GPU that shares the processor's memory.
    Integrated,
    /// A GPU that a hypervisor provides.
    Virtual,
    /// The driver doesn't say; OpenGL rarely does.
    Unknown,
    /// A GPU emulated by the CPU; used only when it is named.
    Software,
}

impl fmt::Display for AdapterKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Discrete => "discrete GPU",
            Self::Integrated => "integrated GPU",
            Self::Virtual => "virtual GPU",
            Self::Unknown => "GPU of unknown kind",
            Self::Software => "software",
        })
    }
}

impl Adapter {
    /// All adapters of all drivers, the best first: real GPUs before software, and the system's own
    /// interface (Vulkan, Metal, DirectX 12) before OpenGL.
    pub async fn all() -> Vec<Self> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let found = instance.enumerate_adapters(wgpu::Backends::all()).await;
        let named = |adapter: wgpu::Adapter| Self { info: Box::new(adapter.get_info()), adapter };
        let mut adapters: Vec<Self> = found.into_iter().map(named).collect();
        adapters.sort_by_key(|adapter| (adapter.kind(), adapter.info.backend == Backend::Gl));
        adapters
    }

    /// The best adapter that can train: a real GPU, or, if `name` is given, any adapter whose name
    /// and interface contain all of its words.
    ///
    /// # Errors
    /// [`DeviceError::NoGpu`] says what was found instead.
    pub async fn find(name: Option<&str>) -> Result<Self, DeviceError> {
        let wanted = || name.map_or("GPU".into(), |name| format!("adapter called \"{name}\""));
        Self::best(&Self::all().await, name)
            .map_err(|found| DeviceError::NoGpu { wanted: wanted(), found })
    }

    /// As [`find`](Self::find), among `adapters`; the error says what was found instead.
    pub(crate) fn best(adapters: &[Self], name: Option<&str>) -> Result<Self, String> {
        let is_meant = |adapter: &&Self| match name {
            Some(name) => adapter.is_called(name),
            None => adapter.kind() != AdapterKind::Software,
        };
        let meant: Vec<&Self> = adapters.iter().filter(is_meant).collect();
        let fit = meant.iter().find(|adapter| adapter.obstacle().is_none());
        fit.map(|&adapter| adapter.clone()).ok_or_else(|| {
            let unfit = meant.first().and_then(|adapter| {
                adapter.obstacle().map(|obstacle| format!("{adapter} can't be used: {obstacle}"))
            });
            unfit.unwrap_or_else(|| describe(adapters))
        })
    }

    /// The kind of adapter.
    #[must_use]
    pub fn kind(&self) -> AdapterKind {
        match self.info.device_type {
            DeviceType::DiscreteGpu => AdapterKind::Discrete,
            DeviceType::IntegratedGpu => AdapterKind::Integrated,
            DeviceType::VirtualGpu => AdapterKind::Virtual,
            DeviceType::Other => AdapterKind::Unknown,
            DeviceType::Cpu => AdapterKind::Software,
        }
    }

    /// Its name, as given by the driver.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.info.name
    }

    /// The graphics interface through which it is used.
    #[must_use]
    pub fn interface(&self) -> &'static str {
        match self.info.backend {
            Backend::Vulkan => "Vulkan",
            Backend::Metal => "Metal",
            Backend::Dx12 => "DirectX 12",
            Backend::Gl => "OpenGL",
            Backend::BrowserWebGpu => "WebGPU",
            Backend::Noop => "none",
        }
    }

    /// The driver and its version.
    #[must_use]
    pub fn driver(&self) -> String {
        format!("{} {}", self.info.driver, self.info.driver_info).trim().to_owned()
    }

    /// Its limits.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.adapter.limits()
    }

    /// Whether it can measure the time of a kernel.
    #[must_use]
    pub fn has_timestamps(&self) -> bool {
        self.adapter.features().contains(wgpu::Features::TIMESTAMP_QUERY)
    }

    /// Why it can't train, if it can't.
    #[must_use]
    pub fn obstacle(&self) -> Option<String> {
        let flags = self.adapter.get_downlevel_capabilities().flags;
        if !flags.contains(DownlevelFlags::COMPUTE_SHADERS) {
            return Some("it has no compute shaders".into());
        }
        too_small(&self.adapter.limits())
    }

    /// Whether name and interface contain all words of `name`, ignoring case.
    fn is_called(&self, name: &str) -> bool {
        let own = self.to_string().to_lowercase();
        name.to_lowercase().split_whitespace().all(|word| own.contains(word))
    }

    pub(super) fn raw(&self) -> &wgpu::Adapter {
        &self.adapter
    }
}

impl fmt::Display for Adapter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} via {}", self.info.name, self.interface())
    }
}

/// The names of `adapters`, or a statement that there are none.
fn describe(adapters: &[Adapter]) -> String {
    let one = |adapter: &Adapter| match adapter.kind() {
        AdapterKind::Software => format!("{adapter} (software, used only when named)"),
        _ => adapter.to_string(),
    };
    if adapters.is_empty() {
        return "no driver offers any adapter".into();
    }
    format!("there is {}", adapters.iter().map(one).collect::<Vec<_>>().join(", "))
}
