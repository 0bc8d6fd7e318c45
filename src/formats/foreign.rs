//! What else a file may be, and what helps: formats that are not read, by their first bytes.

use super::zip;

/// A format that is not read.
struct Foreign {
    is: fn(&[u8]) -> bool,
    name: &'static str,
    /// What the user can do now.
    advice: &'static str,
}

/// The first that fits counts.
const FOREIGN: &[Foreign] = &[
    Foreign { is: <[u8]>::is_empty, name: "an empty file", advice: "download or export it again" },
    Foreign {
        is: |bytes| bytes.starts_with(b"version https://git-lfs"),
        name: "a pointer of Git LFS in place of the file",
        advice: "fetch the file itself with `git lfs pull`",
    },
    Foreign {
        is: |bytes| starts_with_word(bytes, b"<!doctype html") || starts_with_word(bytes, b"<html"),
        name: "a web page",
        advice: "download the file itself, by the link to its raw contents",
    },
    Foreign {
        is: |bytes| bytes.starts_with(b"\x89PNG") || bytes.starts_with(b"\xff\xd8\xff"),
        name: "a picture",
        advice: "open it as a sample, with the model beside it",
    },
    Foreign {
        is: |bytes| bytes.starts_with(b"GGUF"),
        name: "GGUF",
        advice: "open the safetensors or PyTorch file that it was made from",
    },
    Foreign {
        is: |bytes| bytes.get(4..8) == Some(b"ORTM"),
        name: "a model of ONNX Runtime (ORT)",
        advice: "open the .onnx file that it was made from",
    },
    Foreign {
        is: |bytes| starts_with_word(bytes, b"<?xml") && has(bytes, b"<net"),
        name: "OpenVINO IR",
        advice: "open the ONNX or framework file that it was made from",
    },
    Foreign {
        is: is_index,
        name: "the index of a model in several files",
        advice: "put them beside it; in the page, open them together",
    },
    Foreign {
        is: |bytes| is_json(bytes) && (has(bytes, b"weightsManifest") || has(bytes, b"layers-model")),
        name: "TensorFlow.js",
        advice: "convert it: tensorflowjs_converter --input_format tfjs_layers_model --output_format keras model.json model.h5",
    },
    Foreign {
        is: |bytes| is_json(bytes) && has(bytes, b"irVersion"),
        name: "ONNX as JSON",
        advice: "save the binary form, with onnx.save(model, 'model.onnx')",
    },
    Foreign { is: is_json, name: "JSON", advice: "a recipe is given by --recipe, or dropped on the page" },
    Foreign {
        is: |bytes| bytes.starts_with(b"ir_version:"),
        name: "ONNX as text",
        advice: "save the binary form, with onnx.save(model, 'model.onnx')",
    },
    Foreign {
        is: |bytes| is_text(bytes) && has(bytes, b"layer {"),
        name: "the description of a Caffe network",
        advice: "convert it and its .caffemodel to ONNX first",
    },
    Foreign {
        is: |bytes| is_message_of(bytes, |version| version == 1),
        name: "a SavedModel of TensorFlow",
        advice: "convert it: python -m tf2onnx.convert --saved-model FOLDER --output model.onnx",
    },
    Foreign {
        is: |bytes| is_message_of(bytes, |_| true),
        name: "Core ML",
        advice: "open the model that it was made from, or export that as ONNX",
    },
    Foreign {
        is: |bytes| matches!(bytes, [0x0a, _, 0x0a, ..] | [0x0a, _, _, 0x0a, ..]),
        name: "a graph of TensorFlow (GraphDef)",
        advice: "convert it: python -m tf2onnx.convert --graphdef graph.pb --inputs x:0 --outputs y:0 --output model.onnx",
    },
    Foreign {
        is: |bytes| bytes.get(257..262) == Some(b"ustar"),
        name: "a tar archive",
        advice: "unpack it, and open the model in it",
    },
    Foreign {
        is: |bytes| bytes.starts_with(&zip::MAGIC),
        name: "an archive (ZIP) of other files",
        advice: "unpack it, and open the model in it",
    },
    Foreign {
        is: |bytes| matches!(bytes, [0x80, 2..=5, ..]),
        name: "a Python pickle",
        advice: "save the arrays with numpy.savez, or the weights with torch.save(model.state_dict(), 'model.pt')",
    },
    Foreign {
        is: |bytes| matches!(bytes, [0, 0, 0, 0, 1 | 2, 0, 0, 0, ..]),
        name: "weights of Darknet",
        advice: "convert them to ONNX or PyTorch first",
    },
];

/// What a file is that is not read, with what helps.
pub fn named(bytes: &[u8]) -> String {
    match FOREIGN.iter().find(|foreign| (foreign.is)(bytes)) {
        Some(Foreign { name, advice, .. }) => format!("{name}: {advice}"),
        None => "a file of no known format; if it has bare numbers, open the file that describes them".into(),
    }
}

/// Whether it is the index of a model whose tensors are in several files, as Hugging Face has it.
pub fn is_index(bytes: &[u8]) -> bool {
    is_json(bytes) && has(bytes, b"\"weight_map\"")
}

/// Whether a message of protobuf starts with a version and goes on with another message, where ONNX has the name of the producer.
pub fn is_message_of(bytes: &[u8], version: fn(u8) -> bool) -> bool {
    match bytes {
        [0x08, found, 0x12, length, 0x0a, ..] => *length < 0x80 && version(*found),
        [0x08, found, 0x12, low, high, rest @ ..] if *low >= 0x80 => {
            // A length of two bytes or more.
            let start = if *high < 0x80 { rest.first() } else { rest.iter().skip_while(|&&byte| byte >= 0x80).nth(1) };
            start == Some(&0x0a) && version(*found)
        }
        _ => false,
    }
}

/// The first bytes, where words are looked for.
fn start(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(1 << 16)]
}

fn has(bytes: &[u8], word: &[u8]) -> bool {
    start(bytes).windows(word.len()).any(|window| window == word)
}

fn starts_with_word(bytes: &[u8], word: &[u8]) -> bool {
    let bytes = start(bytes).trim_ascii_start();
    bytes.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

fn is_json(bytes: &[u8]) -> bool {
    start(bytes).trim_ascii_start().starts_with(b"{")
}

fn is_text(bytes: &[u8]) -> bool {
    start(bytes).iter().all(|&byte| byte >= 0x20 || byte.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_others_are_named_with_what_helps() {
        let tar = [&[b'a'; 257][..], b"ustar"].concat();
        let cases: &[(&[u8], &str)] = &[
            (b"", "an empty file"),
            (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
            (b"\n <!DOCTYPE html>\n<html>", "a web page"),
            (b"GGUF\x03\0\0\0", "GGUF"),
            (b"\x18\0\0\0ORTM\0\0", "ORT"),
            (b"<?xml version=\"1.0\"?>\n<net name=\"x\">", "OpenVINO"),
            (b"{\"metadata\": {}, \"weight_map\": {}}", "the index of a model"),
            (b"{\"format\": \"layers-model\"}", "tensorflowjs_converter"),
            (b"{\"irVersion\": \"8\"}", "onnx.save"),
            (b"ir_version: 8\ngraph {", "ONNX as text"),
            (b"name: \"LeNet\"\nlayer { name: \"conv1\" }", "Caffe"),
            (b"\x08\x01\x12\x80\x02\x0a\x20", "--saved-model"),
            (b"\x08\x06\x12\x1c\x0a\x0b\x0a\x05input", "Core ML"),
            (b"\x0a\x1b\x0a\x01x\x12\x0bPlaceholder", "--graphdef"),
            (b"\x80\x04\x95\0\0", "pickle"),
            (b"\0\0\0\0\x02\0\0\0\0\0\0\0", "Darknet"),
            (&tar, "tar"),
            (&[0xfe, 0xfd, 0xfc], "no known format"),
        ];
        for (bytes, words) in cases {
            let said = named(bytes);
            assert!(said.contains(words), "{said}");
        }
    }
}
