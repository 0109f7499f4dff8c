//! Models on the device of the backend `wgpu`. The golden samples run there too, beside the other backends: see `main.rs`.

use std::process::Command;

use embergrid::model::{
    Backend, Data, Format, Model, Options, Tensor,
    golden::{Tolerance, compare},
};

use crate::{bytes, models};

/// Everything that the backend can compute goes through it.
fn load(backend: Backend, bytes: &[u8], format: Format) -> Model {
    let options = Options { backend, loop_elements: 0, ..Options::default() };
    Model::load(bytes, format, &options).unwrap_or_else(|error| panic!("{backend}: {error}"))
}

/// Numbers from -2 to 2, the same in every run.
fn rows(count: usize, columns: usize) -> Tensor {
    let number = |index: usize| ((index as u32).wrapping_mul(2_654_435_761) >> 16) as f32 / 16_384.0 - 2.0;
    Tensor::f32([count, columns], (0..count * columns).map(number).collect())
}

fn alike(given: &[Tensor], expected: &[Tensor]) {
    assert_eq!(given.len(), expected.len());
    for (given, expected) in given.iter().zip(expected) {
        let (_, result) = compare(given, expected, Tolerance { rtol: 1e-5, atol: 1e-5 });
        assert_eq!(result, Ok(()));
    }
}

#[test]
fn batches_of_every_size_give_what_the_cpu_gives() {
    let file = std::fs::read(models().join("digits-burn/1/model.safetensors")).expect("a bundled model");
    let [gpu, cpu] = [Backend::Wgpu, Backend::Flex].map(|backend| load(backend, &file, Format::Burn));
    for count in [1, 2, 7, 64, 1000, 4096] {
        let rows = rows(count, 64);
        alike(&gpu.run(&[rows.view()]).expect("it runs"), &cpu.run(&[rows.view()]).expect("it runs"));
    }
}

#[test]
fn nan_and_infinities_come_through_as_on_the_cpu() {
    let [gpu, cpu] =
        [Backend::Wgpu, Backend::Flex].map(|backend| load(backend, &bytes("torch_mlp"), Format::Onnx));
    for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX] {
        let mut rows = rows(8, 10);
        let Data::F32(data) = &mut rows.data else { unreachable!("rows are f32") };
        data[5] = odd;
        alike(&gpu.run(&[rows.view()]).expect("it runs"), &cpu.run(&[rows.view()]).expect("it runs"));
    }
}

#[test]
fn threads_share_a_model() {
    let gpu = load(Backend::Wgpu, &bytes("torch_mlp"), Format::Onnx);
    let rows = rows(32, 10);
    let alone = gpu.run(&[rows.view()]).expect("it runs");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..20).for_each(|_| alike(&gpu.run(&[rows.view()]).expect("it runs"), &alone)));
        }
    });
}

/// Set in the process where no driver is to be found.
const ALONE: &str = "EMBERGRID_TEST_WITHOUT_A_DRIVER";

#[test]
fn without_a_driver_the_model_is_refused_with_what_to_install() {
    if std::env::var_os(ALONE).is_none() {
        // The loader reads these once, so the test calls itself in a process of its own.
        let name = "gpu::without_a_driver_the_model_is_refused_with_what_to_install";
        let mut child = Command::new(std::env::current_exe().expect("this test"));
        child.args(["--exact", name, "--nocapture"]).env(ALONE, "1");
        for list in ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"] {
            child.env(list, "/nowhere.json");
        }
        let output = child.output().expect("it starts");
        let told = String::from_utf8_lossy(&output.stderr);
        return assert!(output.status.success(), "{told}");
    }
    let options = Options { backend: Backend::Wgpu, ..Options::default() };
    let error = Model::load(&bytes("torch_mlp"), Format::Onnx, &options).expect_err("there is no device");
    let told = embergrid::types::Error::from(error).to_string();
    let text = "backend `wgpu` has no device: no Vulkan driver offers a device (install the GPU's Vulkan driver, or \
        `mesa-vulkan-drivers` to compute on the CPU; or use `flex`)";
    assert_eq!(told, text);
}
