// How much one invocation and one workgroup compute. `Kernel::source` writes this part anew for
// each kind of device; these are the values for a GPU.

// Products: groups of four columns (in the forward step, of a unit's four gates) side by side in a
// workgroup, slices of the sum, and the groups and vectors of four rows that an invocation computes
// at once.
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

// The weight gradients: columns side by side, slices of the sum, rows and columns, in fours, that
// an invocation computes at once.
const GRADIENT_LANES = 32u;
const GRADIENT_SLICES = 8u;
const GRADIENT_ROWS = 1u;
const GRADIENT_COLUMNS = 1u;

// Everything that goes element by element.
const ELEMENT_LANES = 64u;
