//! Lays the firmware out as `board.toml` says.

fn main() {
    charcell_board_file::link();
}
