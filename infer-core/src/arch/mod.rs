//! The inner products, which take nearly all of the time: one implementation per kind of core.
//!
//! The portable one is compiled for every target. It is used where there is no other, and is the
//! oracle in tests of the others.
//!
//! Public only for tests on devices; not covered by semantic versioning.

#[cfg(arm_dsp)]
mod arm_dsp;
#[cfg(armv6m)]
mod armv6m;
#[cfg(armv7m)]
mod armv7m;
#[cfg(all(feature = "f32", fpu))]
mod fpu;
#[cfg(helium)]
mod helium;
#[cfg(feature = "compact")]
mod int4;
mod kernels;
mod portable;
#[cfg(any(test, feature = "kernel-properties"))]
pub mod properties;
#[cfg(riscv)]
mod riscv;
#[cfg(target_arch = "x86_64")]
mod sse2;

#[cfg(feature = "compact")]
pub use int4::{Int4Kernels, Int4Target};
#[cfg(feature = "f32")]
pub use kernels::F32Kernels;
pub use kernels::{Int8Kernels, PART_BLOCKS};
pub use portable::Portable;

/// The integer products for this target.
#[cfg(arm_dsp)]
pub type Int8Target = arm_dsp::ArmDsp;
#[cfg(armv6m)]
pub type Int8Target = armv6m::Armv6m;
#[cfg(armv7m)]
pub type Int8Target = armv7m::Armv7m;
#[cfg(helium)]
pub type Int8Target = helium::Helium;
#[cfg(riscv)]
pub type Int8Target = riscv::Riscv;
#[cfg(target_arch = "x86_64")]
pub type Int8Target = sse2::Sse2;
#[cfg(not(any(arm_dsp, armv6m, armv7m, helium, riscv, target_arch = "x86_64")))]
pub type Int8Target = Portable;

/// The floating-point products for this target.
#[cfg(all(feature = "f32", fpu))]
pub type F32Target = fpu::Fpu;
#[cfg(all(feature = "f32", not(fpu)))]
pub type F32Target = Portable;

#[cfg(test)]
mod tests {
    /// Checks all properties of an implementation.
    macro_rules! has_properties {
        ($($name:ident: $kind:ident of $implementation:ty;)*) => {
            $(
                #[test]
                fn $name() {
                    super::properties::$kind::<$implementation>().unwrap();
                }
            )*
        };
    }

    has_properties! {
        portable_int8: int8 of super::Portable;
    }

    #[cfg(target_arch = "x86_64")]
    has_properties! {
        sse2_int8: int8 of super::sse2::Sse2;
    }

    #[cfg(feature = "compact")]
    has_properties! {
        portable_int4: int4 of super::Portable;
    }

    #[cfg(all(feature = "compact", target_arch = "x86_64"))]
    has_properties! {
        sse2_int4: int4 of super::sse2::Sse2;
    }

    #[cfg(feature = "f32")]
    has_properties! {
        portable_f32: f32 of super::Portable;
    }
}
