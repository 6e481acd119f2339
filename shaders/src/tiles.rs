//! How much one invocation and one workgroup compute, by the kind of device.

/// Sizes of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProductTile {
    /// Groups of four columns side by side in a workgroup.
    pub lanes: u32,
    /// Slices into which the sum is cut, added in their order.
    pub slices: u32,
    /// Groups of four columns that an invocation computes at once: in the forward step, the gates
    /// of a unit.
    pub groups: u32,
    /// Vectors of four rows of the batch that an invocation computes at once.
    pub vectors: u32,
}

/// Sizes of the weight gradients' products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GradientTile {
    /// Columns side by side in a workgroup.
    pub lanes: u32,
    /// Slices into which the steps are cut, added in their order.
    pub slices: u32,
    /// Rows that an invocation computes at once, in fours.
    pub rows: u32,
    /// Columns that an invocation computes at once, in fours.
    pub columns: u32,
}

/// All sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tiles {
    /// Of a step forward.
    pub forward: ProductTile,
    /// Of a step back.
    pub backward: ProductTile,
    /// Of a product over all steps.
    pub project: ProductTile,
    /// Of the weight gradients.
    pub gradient: GradientTile,
    /// Invocations of a workgroup where everything goes element by element.
    pub element_lanes: u32,
}

impl Tiles {
    /// For GPUs: many workgroups, each with many invocations, and a short sum for each.
    ///
    /// 64 workgroups a step, forward and back, at 256 units and 32 rows.
    pub const GPU: Self = Self {
        forward: ProductTile { lanes: 16, slices: 8, groups: 1, vectors: 2 },
        backward: ProductTile { lanes: 8, slices: 16, groups: 1, vectors: 1 },
        project: ProductTile { lanes: 16, slices: 8, groups: 1, vectors: 2 },
        gradient: GradientTile { lanes: 32, slices: 8, rows: 1, columns: 1 },
        element_lanes: 64,
    };

    /// For devices that run on the processor: much in one invocation, since loading is what takes
    /// long there, and no barrier, which takes longer still. With more than this, Mesa's compiler
    /// leaves the loops over it as they are, and a kernel takes several times as long.
    pub const SOFTWARE: Self = Self {
        forward: ProductTile { lanes: 8, slices: 1, groups: 4, vectors: 4 },
        backward: ProductTile { lanes: 8, slices: 1, groups: 4, vectors: 4 },
        project: ProductTile { lanes: 8, slices: 1, groups: 2, vectors: 4 },
        gradient: GradientTile { lanes: 8, slices: 1, rows: 3, columns: 2 },
        element_lanes: 64,
    };

    /// `wgsl/common/tiles.wgsl` with these sizes.
    pub(crate) fn source(&self) -> String {
        let Self { forward, backward, project, gradient, element_lanes } = self;
        let products = [("FORWARD", forward), ("BACKWARD", backward), ("PROJECT", project)];
        let products = products.map(|(name, ProductTile { lanes, slices, groups, vectors })| {
            format!(
                "const {name}_LANES = {lanes}u;\nconst {name}_SLICES = {slices}u;\n\
                 const {name}_GROUPS = {groups}u;\nconst {name}_VECTORS = {vectors}u;\n"
            )
        });
        let GradientTile { lanes, slices, rows, columns } = gradient;
        let others = format!(
            "const GRADIENT_LANES = {lanes}u;\nconst GRADIENT_SLICES = {slices}u;\n\
             const GRADIENT_ROWS = {rows}u;\nconst GRADIENT_COLUMNS = {columns}u;\n\
             const ELEMENT_LANES = {element_lanes}u;\n"
        );
        products.concat() + &others
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_tiles_has_those_for_a_gpu() {
        let file = include_str!("../wgsl/common/tiles.wgsl");
        let constants: Vec<&str> = file.lines().filter(|line| line.starts_with("const")).collect();
        let source = Tiles::GPU.source();
        assert_eq!(constants, source.lines().collect::<Vec<_>>());
    }
}
