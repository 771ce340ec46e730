//! The least process: what `benches/floor` compares the start of others with.
fn main() {}
