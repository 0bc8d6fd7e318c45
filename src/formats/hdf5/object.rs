//! The objects of a file, groups and data sets: the messages in their headers, and the links of groups.

use crate::error::LoadError;
use crate::formats::cursor::{Cursor, MAX_NAME, MAX_TENSORS, malformed, unsupported};

pub const FORMAT: &str = "HDF5";

/// The first bytes of every file.
pub const MAGIC: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

/// An address that nothing is at.
pub const NOWHERE: u64 = u64::MAX;

/// The most blocks that an object's header may be in, and the most messages.
const MAX_BLOCKS: usize = 256;
const MAX_MESSAGES: usize = 1 << 16;

/// Kinds of messages.
pub const DATASPACE: u16 = 0x01;
const LINK_INFO: u16 = 0x02;
pub const DATATYPE: u16 = 0x03;
pub const FILL_VALUE: u16 = 0x05;
const LINK: u16 = 0x06;
pub const LAYOUT: u16 = 0x08;
pub const FILTERS: u16 = 0x0b;
const ATTRIBUTE: u16 = 0x0c;
const CONTINUATION: u16 = 0x10;
const SYMBOL_TABLE: u16 = 0x11;

/// A file, and what reading it may still cost: what is stored once may be pointed to from many places.
pub struct File<'a> {
    pub bytes: &'a [u8],
    /// Bytes of headers and indices.
    structure: usize,
    /// Bytes of chunks, once they are unpacked.
    pub chunks: u64,
}

/// A message of an object's header.
pub struct Message<'a> {
    kind: u16,
    /// Whether its body says only where it is.
    shared: bool,
    body: Cursor<'a>,
}

/// A number of `bytes` bytes, 8 at most.
pub fn number(cursor: &mut Cursor, bytes: usize) -> Result<u64, LoadError> {
    Ok(cursor.take(bytes)?.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
}

/// Proves that the next bytes are these.
fn expect(cursor: &mut Cursor, signature: &[u8]) -> Result<(), LoadError> {
    let fault = cursor.malformed(String::from_utf8_lossy(signature), "other bytes");
    if cursor.take(signature.len())? == signature { Ok(()) } else { Err(fault) }
}

/// Text up to its first zero, or its end.
fn text(bytes: &[u8]) -> Result<String, LoadError> {
    let bytes = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
    if bytes.len() > MAX_NAME {
        return Err(malformed(FORMAT, "name", format!("at most {MAX_NAME} bytes"), bytes.len()));
    }
    let name = std::str::from_utf8(bytes).map_err(|error| malformed(FORMAT, "name", "text in UTF-8", error))?;
    Ok(name.to_owned())
}

impl<'a> File<'a> {
    /// A file whose chunks may take `cap` bytes.
    pub fn new(bytes: &'a [u8], cap: u64) -> Self {
        File { bytes, structure: bytes.len().saturating_mul(4).saturating_add(1 << 20), chunks: cap }
    }

    /// So many bytes from an address on.
    pub fn part(&self, address: u64, size: u64) -> Result<Cursor<'a>, LoadError> {
        let start = usize::try_from(address).unwrap_or(usize::MAX);
        let end = start.saturating_add(usize::try_from(size).unwrap_or(usize::MAX));
        let Some(bytes) = self.bytes.get(..end) else {
            return Err(malformed(FORMAT, format!("byte {address}"), format!("{size} more bytes"), "an end"));
        };
        Cursor::new(FORMAT, bytes, start)
    }

    /// All bytes from an address on.
    fn from(&self, address: u64) -> Result<Cursor<'a>, LoadError> {
        Cursor::new(FORMAT, self.bytes, usize::try_from(address).unwrap_or(usize::MAX))
    }

    fn spend(&mut self, bytes: usize) -> Result<(), LoadError> {
        let left = self.structure.checked_sub(bytes);
        self.structure =
            left.ok_or_else(|| malformed(FORMAT, "file", "headers and indices that are used once", "more"))?;
        Ok(())
    }

    /// The address of the root group.
    pub fn root(&self) -> Result<u64, LoadError> {
        let mut cursor = self.from(0)?;
        expect(&mut cursor, &MAGIC)?;
        let version = cursor.byte()?;
        let newer = match version {
            0 | 1 => false,
            2 | 3 => true,
            other => return Err(unsupported(FORMAT, "superblock", format!("version {other}"), "0 to 3")),
        };
        if !newer {
            // Versions of other parts.
            cursor.take(4)?;
        }
        let sizes: [u8; 2] = cursor.array()?;
        if sizes != [8, 8] {
            return Err(unsupported(FORMAT, "superblock", format!("addresses and lengths of {sizes:?} bytes"), "8"));
        }
        cursor.take(match version {
            0 => 9,
            1 => 13,
            _ => 1,
        })?;
        if cursor.u64()? != 0 {
            return Err(unsupported(FORMAT, "superblock", "a block of the user's before it", "files without"));
        }
        // Of free space, or of what was added to the superblock.
        cursor.take(8)?;
        let end = cursor.u64()?;
        if end > self.bytes.len() as u64 {
            return Err(malformed(FORMAT, "file", format!("{end} bytes"), self.bytes.len()));
        }
        // Of older files a driver's address, and the root's entry, which has a name.
        cursor.take(if newer { 0 } else { 16 })?;
        cursor.u64()
    }

    /// The messages of the object at an address.
    pub fn messages(&mut self, address: u64) -> Result<Vec<Message<'a>>, LoadError> {
        let mut cursor = self.from(address)?;
        let mut numbered = false;
        let newer = match cursor.clone().array()? {
            [b'O', b'H', b'D', b'R'] => true,
            [1, ..] => false,
            other => return Err(cursor.malformed("the header of an object", format!("{other:02x?}"))),
        };
        let size = if newer {
            cursor.take(5)?;
            let flags = cursor.byte()?;
            numbered = flags & 4 != 0;
            cursor.take(if flags & 0x20 == 0 { 0 } else { 16 } + if flags & 0x10 == 0 { 0 } else { 4 })?;
            number(&mut cursor, 1 << (flags & 3))?
        } else {
            cursor.take(8)?;
            let size = cursor.u32()?;
            cursor.take(4)?;
            size.into()
        };
        let mut blocks = vec![(cursor.position() as u64, size)];
        let (mut messages, mut next) = (Vec::new(), 0);
        while let Some(&(start, size)) = blocks.get(next) {
            let mut block = self.part(start, size)?;
            if newer && next > 0 {
                // It ends with a checksum.
                block = self.part(start, size.saturating_sub(4))?;
                expect(&mut block, b"OCHK")?;
            }
            next += 1;
            if next > MAX_BLOCKS {
                return Err(block.malformed(format!("a header of at most {MAX_BLOCKS} blocks"), "more"));
            }
            self.spend(block.left())?;
            let before = if newer { 4 + 2 * usize::from(numbered) } else { 8 };
            while block.left() >= before {
                let kind = if newer { block.byte()?.into() } else { block.u16()? };
                let (size, flags) = (block.u16()?, block.byte()?);
                block.take(before - if newer { 4 } else { 5 })?;
                let at = block.position() as u64;
                block.take(size.into())?;
                let mut body = self.part(at, size.into())?;
                if kind == CONTINUATION {
                    blocks.push((body.u64()?, body.u64()?));
                } else if messages.len() == MAX_MESSAGES {
                    return Err(block.malformed(format!("at most {MAX_MESSAGES} messages"), "more"));
                } else {
                    messages.push(Message { kind, shared: flags & 2 != 0, body });
                }
            }
        }
        Ok(messages)
    }

    /// The entries of a tree (B-tree, version 1) in their order, so many at most: a key of so many bytes, and an address.
    pub fn leaves(
        &mut self,
        root: u64,
        kind: u8,
        key: usize,
        most: usize,
    ) -> Result<Vec<(Cursor<'a>, u64)>, LoadError> {
        let (mut leaves, mut nodes) = (Vec::new(), vec![(root, None)]);
        while let Some((address, expected)) = nodes.pop() {
            let mut node = self.from(address)?;
            expect(&mut node, b"TREE")?;
            expect(&mut node, &[kind])?;
            let level = node.byte()?;
            // So it ends, wherever addresses lead.
            if expected.is_some_and(|expected| level != expected) {
                return Err(node.malformed(format!("level {}", expected.unwrap_or(0)), level));
            }
            let used = usize::from(node.u16()?);
            // Neighbours.
            node.take(16)?;
            self.spend(24 + used * (key + 8))?;
            let mut children = Vec::with_capacity(used);
            for _ in 0..used {
                let from = node.clone();
                node.take(key)?;
                children.push((from, node.u64()?));
            }
            match level.checked_sub(1) {
                None if leaves.len() + used > most => {
                    return Err(node.malformed(format!("at most {most} entries"), leaves.len() + used));
                }
                None => leaves.append(&mut children),
                Some(below) => nodes.extend(children.into_iter().rev().map(|(_, child)| (child, Some(below)))),
            }
        }
        Ok(leaves)
    }

    /// The names in a group with what they stand for; links by path and to other files are left out.
    pub fn links(&mut self, messages: &[Message<'a>]) -> Result<Vec<(String, u64)>, LoadError> {
        let mut links = Vec::new();
        for message in messages {
            let mut body = message.body.clone();
            match message.kind {
                SYMBOL_TABLE => self.symbols(body.u64()?, body.u64()?, &mut links)?,
                LINK => links.extend(link(body)?),
                LINK_INFO => {
                    body.take(1)?;
                    let numbered = body.byte()? & 1 != 0;
                    body.take(if numbered { 8 } else { 0 })?;
                    if body.u64()? != NOWHERE {
                        let feature = "a group whose links are in a heap, as libver='latest' writes it,";
                        return Err(unsupported(FORMAT, "group", feature, "libver='earliest', the default"));
                    }
                }
                _ => {}
            }
        }
        Ok(links)
    }

    /// The links of a group in the older form: a tree of nodes, which name them by places in a heap.
    fn symbols(&mut self, tree: u64, heap: u64, links: &mut Vec<(String, u64)>) -> Result<(), LoadError> {
        const SOFT: u32 = 2;
        let mut heap = self.from(heap)?;
        expect(&mut heap, b"HEAP")?;
        heap.take(4)?;
        let size = heap.u64()?;
        heap.take(8)?;
        let names = heap.u64()?;
        for (_, address) in self.leaves(tree, 0, 8, MAX_TENSORS)? {
            let mut node = self.from(address)?;
            expect(&mut node, b"SNOD")?;
            node.take(2)?;
            let count = node.u16()?;
            self.spend(8 + 40 * usize::from(count))?;
            for _ in 0..count {
                let (name, object, kind) = (node.u64()?, node.u64()?, node.u32()?);
                node.take(20)?;
                let mut name = self.part(names.saturating_add(name), size.saturating_sub(name))?;
                let name = text(name.take(name.left().min(MAX_NAME + 1))?)?;
                self.spend(name.len())?;
                if kind != SOFT {
                    links.push((name, object));
                }
            }
        }
        Ok(())
    }

    /// The text of an attribute that holds one, if there is such.
    pub fn attribute(&mut self, messages: &[Message<'a>], wanted: &str) -> Result<Option<String>, LoadError> {
        const TEXT: u8 = 9;
        for message in messages.iter().filter(|message| message.kind == ATTRIBUTE && !message.shared) {
            let mut body = message.body.clone();
            let version = body.byte()?;
            body.take(1)?;
            let [name, kind, space] = [body.u16()?, body.u16()?, body.u16()?].map(usize::from);
            body.take(if version == 3 { 1 } else { 0 })?;
            let padded = |size: usize| if version == 1 { size.next_multiple_of(8) } else { size };
            if text(body.take(padded(name))?)? != wanted {
                continue;
            }
            let class = body.take(padded(kind))?.first().copied().unwrap_or(0) & 15;
            body.take(padded(space))?;
            if class != TEXT || body.left() < 16 {
                continue;
            }
            let (length, heap, wanted) = (body.u32()?, body.u64()?, body.u32()?);
            let mut heap = self.from(heap)?;
            expect(&mut heap, b"GCOL")?;
            heap.take(4)?;
            let end = heap.u64()?;
            // One heap may hold the texts of many.
            for _ in 0..end / 16 {
                self.spend(16)?;
                let index = heap.u16()?;
                heap.take(6)?;
                let size = usize::try_from(heap.u64()?).unwrap_or(usize::MAX);
                let bytes = heap.take(size)?;
                if u32::from(index) == wanted {
                    return text(bytes.get(..length as usize).unwrap_or(bytes)).map(Some);
                }
                heap.take(size.next_multiple_of(8) - size)?;
                if index == 0 {
                    break;
                }
            }
        }
        Ok(None)
    }
}

/// A link in the newer form.
fn link(mut body: Cursor) -> Result<Option<(String, u64)>, LoadError> {
    body.take(1)?;
    let flags = body.byte()?;
    let hard = if flags & 8 == 0 { true } else { body.byte()? == 0 };
    body.take(if flags & 4 == 0 { 0 } else { 8 } + if flags & 0x10 == 0 { 0 } else { 1 })?;
    let length = number(&mut body, 1 << (flags & 3))?;
    let name = text(body.take(usize::try_from(length).unwrap_or(usize::MAX))?)?;
    Ok(if hard { Some((name, body.u64()?)) } else { None })
}

/// Whether an object is a group.
pub fn is_group(messages: &[Message]) -> bool {
    messages.iter().any(|message| matches!(message.kind, SYMBOL_TABLE | LINK_INFO | LINK))
}

/// The body of an object's message of a kind, if it has one.
pub fn find<'a>(messages: &[Message<'a>], kind: u16, place: &str) -> Result<Option<Cursor<'a>>, LoadError> {
    match messages.iter().find(|message| message.kind == kind) {
        Some(Message { shared: true, .. }) => {
            Err(unsupported(FORMAT, place, "a type or filters that are shared with others", "its own"))
        }
        found => Ok(found.map(|message| message.body.clone())),
    }
}
