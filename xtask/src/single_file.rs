//! The page as one HTML file, with all that it needs inside, that works when it is opened from disk.

use crate::process::Outcome;
use crate::{read, root, write};
use std::path::{Path, PathBuf};

/// Puts a built site into one file and returns its path.
pub fn pack(site: &Path) -> Result<PathBuf, String> {
    let mut page = text(&site.join("index.html"))?;
    let mut files = Vec::new();
    collect(site, &mut files)?;
    files.sort();
    let mut inside = String::new();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let relative = file.strip_prefix(site).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        let script = format!("<script type=\"module\" crossorigin src=\"./{relative}\"></script>");
        let style = format!("<link rel=\"stylesheet\" crossorigin href=\"./{relative}\">");
        if name == "index.html" {
            continue;
        } else if page.contains(&script) {
            // What would end the element is written otherwise; in a string it means the same.
            let code = text(&file)?.replace("</script", "<\\/script");
            page = page.replace(&script, &format!("<script type=\"module\">{code}</script>"));
        } else if page.contains(&style) {
            page = page.replace(&style, &format!("<style>{}</style>", text(&file)?));
        } else if page.contains(&format!("\"./{relative}\"")) {
            // A picture, or a text behind a link, which a browser opens from such an address only by saving it.
            let address = format!("\"data:{};base64,{}\"", kind(&name), base64(&read(&file)?));
            let saved = format!("href={address} download=\"{name}\"");
            page = page.replace(&format!("<a href=\"./{relative}\""), &format!("<a {saved}"));
            page = page.replace(&format!("\"./{relative}\""), &address);
        } else {
            let bytes = base64(&read(&file)?);
            inside += &format!(
                "<script type=\"text/plain\" id=\"file:{name}\" data-type=\"{}\">{bytes}</script>\n",
                kind(&name)
            );
        }
    }
    let Some(end) = page.rfind("</body>") else { return Err("the page has no end of its body".into()) };
    page.insert_str(end, &inside);
    if let Some(place) = page.find("=\"./") {
        return Err(format!("the page still asks for a file: {}", page[place..].chars().take(80).collect::<String>()));
    }
    let out = root().join("dist/nutshell.html");
    write(&out, page.as_bytes())?;
    Ok(out)
}

fn text(path: &Path) -> Result<String, String> {
    String::from_utf8(read(path)?).map_err(|error| format!("{}: {error}", path.display()))
}

/// All files below a folder.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Outcome {
    let fault = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// The media type of a file, by its name.
fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("js") => "text/javascript",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("md") => "text/markdown",
        _ => "application/octet-stream",
    }
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let [first, second, third] = [0, 1, 2].map(|place| u32::from(chunk.get(place).copied().unwrap_or(0)));
        let group = first << 16 | second << 8 | third;
        for place in 0..4 {
            let letter = LETTERS[(group >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= chunk.len() { letter as char } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_examples_of_the_rfc() {
        let cases =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")];
        for (plain, coded) in cases {
            assert_eq!(super::base64(plain.as_bytes()), coded);
        }
    }
}
