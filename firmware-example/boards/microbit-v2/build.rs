//! Sets up the linker from `board.toml`.

fn main() {
    charcell_board_file::link();
}
