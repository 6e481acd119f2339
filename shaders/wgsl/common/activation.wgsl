// Exponential, sigmoid and tanh, as in the trainer's cpu/activation.rs. Built-in functions differ
// between devices, lose small values of tanh, or overflow.

struct Exponential {
    scale: vec4<f32>,
    scaled: vec4<f32>,
}

// The exponential of x as scale + scaled, where scale is a power of two.
fn exponential_parts(x_any: vec4<f32>) -> Exponential {
    let x = clamp(x_any, vec4(-88.0), vec4(88.0));
    let n = round(x * 1.44269504);
    let r = (x - n * 0.693359375) + n * 2.12194440e-4;
    var series = vec4(1.0 / 5040.0);
    series = series * r + 1.0 / 720.0;
    series = series * r + 1.0 / 120.0;
    series = series * r + 1.0 / 24.0;
    series = series * r + 1.0 / 6.0;
    series = series * r + 0.5;
    series = series * r + 1.0;
    let scale = bitcast<vec4<f32>>((vec4<i32>(n) + 127) << vec4(23u));
    return Exponential(scale, scale * (series * r));
}

fn exponential(x: vec4<f32>) -> vec4<f32> {
    let parts = exponential_parts(x);
    return parts.scale + parts.scaled;
}

// 1 / (1 + e^-x)
fn sigmoid(x: vec4<f32>) -> vec4<f32> {
    return 1.0 / (1.0 + exponential(-x));
}

// (e^2x - 1) / (e^2x + 1), also exact near zero.
fn hyperbolic_tangent(x: vec4<f32>) -> vec4<f32> {
    let parts = exponential_parts(2.0 * clamp(x, vec4(-10.0), vec4(10.0)));
    let exp_m1 = (parts.scale - 1.0) + parts.scaled;
    return exp_m1 / (exp_m1 + 2.0);
}
