// How much one invocation and one workgroup compute. `Kernel::source` writes this part anew for
// each kind of device; these are the values for a GPU.

// The products of a step and of a projection: units (or columns) side by side, slices of the sum,
// and vectors of four rows that an invocation computes at once.
const STEP_LANES = 16u;
const STEP_SLICES = 8u;
const STEP_VECTORS = 2u;

// The weight gradients: columns side by side, slices of the sum, rows and columns that an
// invocation computes at once.
const GRADIENT_LANES = 32u;
const GRADIENT_SLICES = 8u;
const GRADIENT_ROWS = 4u;
const GRADIENT_COLUMNS = 4u;

// Everything that goes element by element.
const ELEMENT_LANES = 64u;
