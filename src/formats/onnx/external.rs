//! Numbers that an ONNX file has in other files beside it (`external_data`): put into it, so that every reader finds them.

use super::forms::Replaced;
use super::malformed;
use super::weights::{Found, RAW_DATA, copy_model, without_numbers};
use super::wire::{Message, Span};
use crate::error::LoadError;
use crate::formats::collect::Collector;
use crate::formats::import::Tensor;
use crate::formats::import::tensor::{Elsewhere, Numbers};
use crate::model::network::byte_count;

/// Fields of `TensorProto`.
const EXTERNAL_DATA: u64 = 13;
const DATA_LOCATION: u64 = 14;

/// Paths of the files that an ONNX file has numbers in, from its own folder, each once.
///
/// # Errors
/// [`LoadError`] if the file is damaged.
pub fn external_files(file: &[u8]) -> Result<Vec<String>, LoadError> {
    let mut names: Vec<String> = Vec::new();
    copy_model(file, &mut |found| {
        if let Some(elsewhere) = elsewhere(found.tensor)?
            && !names.iter().any(|name| name == elsewhere.file)
        {
            names.push(elsewhere.file.into());
        }
        Ok(Replaced::default())
    })?;
    Ok(names)
}

/// The file with the numbers of other files in it. `others` are those files, with their paths as [`external_files`] gives them;
/// `cap` is the most bytes that the result may take.
///
/// # Errors
/// [`LoadError`] if the file is damaged, another one is not there, or is too short.
pub fn embed(file: &[u8], others: &[(&str, &[u8])], cap: u64) -> Result<Vec<u8>, LoadError> {
    // Bytes that may still be added.
    let mut left = cap.saturating_sub(file.len() as u64);
    copy_model(file, &mut |Found { span, tensor, dtype, shape, name, .. }| {
        let mut message = Message::default();
        let Some(elsewhere) = elsewhere(tensor)? else {
            message.raw(span.bytes());
            return Ok(Replaced::by(message));
        };
        let fault = |expected: &str, got: String| malformed(Collector::place(name), expected, got);
        let file = elsewhere.file;
        let Some((_, bytes)) = others.iter().find(|(name, _)| *name == file) else {
            return Err(fault(&format!("its numbers in the file '{file}' beside the model"), "no such file".into()));
        };
        let rest = bytes.get(elsewhere.offset..).unwrap_or_default();
        let length = elsewhere.length.unwrap_or(rest.len());
        let Some(numbers) = rest.get(..length) else {
            let expected = format!("{length} bytes from byte {} of '{file}'", elsewhere.offset);
            return Err(fault(&expected, format!("a file of {} bytes", bytes.len())));
        };
        if byte_count(&shape, dtype) != Some(length) {
            return Err(fault(&format!("bytes for the shape {:?}", tensor.shape), length.to_string()));
        }
        let (place, bytes) = (Collector::place(name), length as u64);
        left = left.checked_sub(bytes).ok_or(LoadError::TooLarge { format: super::FORMAT, place, bytes, cap })?;
        // All but where the numbers were.
        let kept = without_numbers(span)?.into_bytes();
        let mut fields = Span::new(&kept);
        while let Some(field) = fields.next_field()? {
            if !matches!(field.number, EXTERNAL_DATA | DATA_LOCATION) {
                message.raw(field.encoded());
            }
        }
        message.bytes(RAW_DATA, numbers);
        Ok(Replaced::by(message))
    })
}

/// Where a tensor's numbers are, if they are in another file.
fn elsewhere<'a>(tensor: &Tensor<'a>) -> Result<Option<Elsewhere<'a>>, LoadError> {
    match &tensor.numbers {
        Numbers::Elsewhere(Elsewhere { file: "", .. }) => {
            let place = Collector::place(&tensor.name);
            Err(malformed(place, "the name of the file that has its numbers", "none".into()))
        }
        Numbers::Elsewhere(elsewhere) => Ok(Some(*elsewhere)),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::onnx;

    const FILE: &[u8] = include_bytes!("../../../tests/data/onnx/external.onnx");
    const NUMBERS: &[u8] = include_bytes!("../../../tests/data/onnx/external.bin");
    const WHOLE: &[u8] = include_bytes!("../../../tests/data/onnx/residual.onnx");
    const CAP: u64 = 1 << 20;

    #[test]
    fn a_network_in_two_files_is_that_in_one() {
        assert_eq!(external_files(FILE), Ok(vec!["external.bin".into()]));
        let whole = embed(FILE, &[("external.bin", NUMBERS)], CAP).unwrap();
        assert_eq!(onnx::read(&whole, CAP), onnx::read(WHOLE, CAP));
        assert_eq!(external_files(&whole), Ok(Vec::new()));
        assert_eq!(embed(WHOLE, &[], CAP).as_deref(), Ok(WHOLE));
    }

    #[test]
    fn what_is_missing_or_too_short_is_named() {
        let error = |others: &[(&str, &[u8])], cap| embed(FILE, others, cap).unwrap_err().to_string();
        let missing = "ONNX file, tensor 'conv1': expected its numbers in the file 'external.bin' beside the model, got no such file";
        assert_eq!(error(&[("other.bin", NUMBERS)], CAP), missing);
        for length in 0..NUMBERS.len() {
            assert!(embed(FILE, &[("external.bin", &NUMBERS[..length])], CAP).is_err(), "{length}");
        }
        let large = error(&[("external.bin", NUMBERS)], FILE.len() as u64 + 100);
        assert!(large.contains("are more than the limit of"), "{large}");
    }

    #[test]
    fn every_changed_byte_is_an_error_or_a_file() {
        for place in 0..FILE.len() {
            for bits in [1, 0x80] {
                let mut file = FILE.to_vec();
                file[place] ^= bits;
                if let Ok(whole) = embed(&file, &[("external.bin", NUMBERS)], CAP) {
                    assert!(whole.len() as u64 <= CAP);
                }
            }
        }
    }
}
