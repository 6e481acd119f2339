//! Intel HEX: lines of 16 bytes with their address and a checksum.
//!
//! Source: *Hexadecimal Object File Format Specification*, revision A, Intel 1988.

use std::fmt::Write;

use super::{Image, Segment};

const BYTES_PER_LINE: usize = 16;

/// Kinds of lines.
const DATA: u8 = 0;
const END: u8 = 1;
const UPPER_ADDRESS: u8 = 4;

/// The lines for `image`.
pub(super) fn write(image: &Image) -> String {
    let mut text = String::new();
    let mut upper = None;
    for Segment { address, bytes } in &image.segments {
        let mut address = *address;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let [high @ .., _, _] = address.to_be_bytes();
            if upper.replace(high) != Some(high) {
                write_line(&mut text, 0, UPPER_ADDRESS, &high);
            }
            // No line crosses a multiple of 64 KB, where the lower half of addresses starts anew.
            let to_next = BYTES_PER_LINE - address as usize % BYTES_PER_LINE;
            let (line, after) = rest.split_at(to_next.min(rest.len()));
            write_line(&mut text, address as u16, DATA, line);
            address = address.wrapping_add(line.len() as u32);
            rest = after;
        }
    }
    write_line(&mut text, 0, END, &[]);
    text
}

fn write_line(text: &mut String, address: u16, kind: u8, bytes: &[u8]) {
    let [high, low] = address.to_be_bytes();
    let record = [&[bytes.len() as u8, high, low, kind], bytes].concat();
    let checksum = record.iter().fold(0_u8, |sum, byte| sum.wrapping_sub(*byte));
    text.push(':');
    for byte in record.iter().chain([&checksum]) {
        write!(text, "{byte:02X}").expect("a string grows as it must");
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::super::tests::image;
    use super::*;

    #[test]
    fn lines_are_those_of_the_specification() {
        let text = write(&image());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], ":020000041000EA");
        assert_eq!(lines[1], ":10000000000102030405060708090A0B0C0D0E0F78");
        assert_eq!(lines[17], ":020000041001E9");
        assert_eq!(lines[18], ":10FFF0000707070707070707070707070707070791");
        assert_eq!(lines[19], ":020000041002E8");
        assert_eq!(lines.last(), Some(&":00000001FF"));
        assert_eq!(lines.len(), 23);
    }
}
