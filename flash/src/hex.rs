//! Intel HEX: lines of 16 bytes, each with an address and a checksum.
//!
//! Source: *Hexadecimal Object File Format Specification*, revision A, Intel 1988.

use ihex::Record;

use crate::image::{Image, Segment};

const BYTES_PER_LINE: usize = 16;

/// The lines for `image`.
///
/// # Panics
/// Never: lines are shorter than the format's limit.
pub(crate) fn write(image: &Image) -> String {
    let mut records = Vec::new();
    let mut upper = None;
    for Segment { address, bytes } in &image.segments {
        let mut address = *address;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let high = (address >> 16) as u16;
            if upper.replace(high) != Some(high) {
                records.push(Record::ExtendedLinearAddress(high));
            }
            // No line crosses a multiple of 64 KB, where the lower half of the address wraps.
            let to_next = BYTES_PER_LINE - address as usize % BYTES_PER_LINE;
            let (line, after) = rest.split_at(to_next.min(rest.len()));
            records.push(Record::Data { offset: address as u16, value: line.to_vec() });
            address = address.wrapping_add(line.len() as u32);
            rest = after;
        }
    }
    records.push(Record::EndOfFile);
    ihex::create_object_file_representation(&records).expect("lines of 16 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::tests::image;

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
