//! Parameters whose symbols are coded by tables, each in a stream of its own behind the coded stream: which those are, and how long.

use super::bytes::{Reader, put_varint};
use crate::coding::ParameterBits;
use crate::coding::layout::Layout;
use crate::coding::symbols::Bounds;
use crate::coding::tables;
use crate::error::DecodeError;
use crate::parallel::for_each;

/// The stream of a parameter that is coded apart, and what its symbols take in it.
pub type Apart = Option<(Vec<u8>, ParameterBits)>;

/// Codes those parameters apart that are large, and take no more bytes so.
pub fn code(parameters: &[(&[i16], Layout, Bounds)]) -> Vec<Apart> {
    let mut coded: Vec<(usize, Apart)> = (0..parameters.len()).map(|index| (index, None)).collect();
    for_each(&mut coded, |(index, apart)| {
        let (symbols, layout, bounds) = &parameters[*index];
        *apart = tables::worthwhile(symbols, layout, *bounds).map(|coded| (coded.encode(), coded.all_bits()));
    });
    coded.into_iter().map(|(_, apart)| apart).collect()
}

/// The section: for each parameter the length of its stream, 0 for those in the coded stream. None if all are.
pub fn lengths(coded: &[Apart]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    for apart in coded {
        put_varint(&mut body, apart.as_ref().map_or(0, |(bytes, _)| bytes.len()) as u64);
    }
    coded.iter().any(Option::is_some).then_some(body)
}

/// Cuts the streams off the end of what follows the sections; for each parameter one, if it is coded apart.
pub fn split<'a>(section: &[u8], payload: &mut &'a [u8]) -> Result<Vec<Option<&'a [u8]>>, DecodeError> {
    let mut reader = Reader::new("lengths of streams", section);
    let mut lengths = Vec::new();
    while reader.len() > 0 {
        lengths.push(reader.size(payload.len())?);
    }
    let all: usize = lengths.iter().fold(0usize, |all, &length| all.saturating_add(length));
    let Some(own) = payload.len().checked_sub(all) else {
        return Err(reader.malformed(format!("at most {} bytes", payload.len()), all));
    };
    let (coded, mut streams) = payload.split_at(own);
    *payload = coded;
    let stream = |length: usize| streams.split_off(..length).filter(|stream| !stream.is_empty());
    Ok(lengths.into_iter().map(stream).collect())
}

/// That there is a length for each parameter.
pub fn check<T>(streams: &[T], parameters: usize) -> Result<(), DecodeError> {
    if streams.len() == parameters {
        return Ok(());
    }
    let (expected, got) = (format!("one for each of {parameters} parameters"), streams.len().to_string());
    Err(DecodeError::Malformed { place: "lengths of streams", expected, got })
}

/// A parameter that is to be read from its stream.
#[derive(Debug)]
pub struct Job<'a> {
    /// Its stream.
    pub stream: &'a [u8],
    /// Where its symbols are.
    pub layout: Layout,
    /// What they may be.
    pub bounds: Bounds,
    /// The symbols, once they are read.
    pub symbols: Result<Vec<i16>, DecodeError>,
}

impl Job<'_> {
    /// Reads the symbols.
    pub fn run(&mut self) {
        self.symbols = tables::decode(self.stream, &self.layout, self.bounds);
    }
}

/// Reads all of them, at the same time.
pub fn read(jobs: &mut [Job]) {
    for_each(jobs, Job::run);
}
