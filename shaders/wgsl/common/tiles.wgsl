// How much one invocation and one workgroup compute. These are the values for a GPU;
// `Kernel::source` replaces them with those for the kind of device.

// Products: groups of four columns (in the forward step, a unit's four gates) next to each other in
// a workgroup, slices of the sum, and groups and vectors of four rows per invocation.
const FORWARD_LANES = 16u;
const FORWARD_SLICES = 8u;
const FORWARD_GROUPS = 1u;
const FORWARD_VECTORS = 2u;

const BACKWARD_LANES = 8u;
const BACKWARD_SLICES = 16u;
const BACKWARD_GROUPS = 1u;
const BACKWARD_VECTORS = 1u;

const PROJECT_LANES = 16u;
const PROJECT_SLICES = 8u;
const PROJECT_GROUPS = 1u;
const PROJECT_VECTORS = 2u;

// The weight gradients: columns next to each other, slices of the sum, and rows and columns per
// invocation, in fours.
const GRADIENT_LANES = 32u;
const GRADIENT_SLICES = 8u;
const GRADIENT_ROWS = 1u;
const GRADIENT_COLUMNS = 1u;

// Elementwise kernels.
const ELEMENT_LANES = 64u;
