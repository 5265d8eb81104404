//! The crate's tests from outside: one binary, so that it links once.

#[cfg(test)]
mod eval;
#[cfg(test)]
mod example;
#[cfg(test)]
mod generate;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod marks;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod parsing;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod support;
