//! The device behind `--backend wgpu`: chosen once for the process, and reached through Vulkan.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::OnceLock,
};

use burn_backend::{Backend, BackendTypes, DType};
use burn_wgpu::{
    RuntimeOptions, Wgpu, WgpuBackend, WgpuDevice, WgpuInitError, graphics::Vulkan, try_init_setup,
};

use super::Error;

/// The backend's own name for a device.
pub(super) type Device = <Wgpu as BackendTypes>::Device;

/// The device that all models run on: a discrete GPU before an integrated one, and a driver that computes on the CPU
/// where there is no GPU.
///
/// It is named, and not left to the backend's default: that one passes over drivers for the CPU, and would try other
/// interfaces than Vulkan.
pub(super) fn device() -> Result<Device, Error> {
    static DEVICE: OnceLock<Result<Device, String>> = OnceLock::new();
    let device = DEVICE.get_or_init(|| match catch_unwind(AssertUnwindSafe(open)) {
        Ok(opened) => opened,
        Err(_) => Err("the Vulkan driver cannot be used".to_owned()),
    });
    device.clone().map_err(|reason| Error::Device { reason })
}

fn open() -> Result<Device, String> {
    let named = WgpuDevice::default().on(WgpuBackend::Vulkan);
    let setup = RuntimeOptions::try_default()
        .and_then(|options| try_init_setup::<Vulkan>(&named, options))
        .map_err(|error| match error {
        WgpuInitError::AdapterUnavailable { .. } => "no Vulkan driver offers a device".to_owned(),
        other => other.to_string(),
    })?;
    let info = setup.adapter.get_info();
    let device = Device::Wgpu(named);
    if !Wgpu::supports_dtype(&device, DType::F32) {
        return Err(format!("{} does not compute with 32-bit floats", info.name));
    }
    tracing::info!(device = %info.name, driver = %info.driver, "models run on this device");
    Ok(device)
}
