//! Sizes that a stranger can reach, each with the rule that sets it.

/// Longest slug, in characters (SPEC 3.2).
pub const SLUG_CHARS: usize = 64;
/// Longest slug, in bytes of UTF-8 (SPEC 3.2).
pub const SLUG_BYTES: usize = 256;
/// Longest destination, in bytes (SPEC 3.9).
pub const DESTINATION_BYTES: usize = 8 * 1024;
/// Longest hostname, in bytes of its ASCII form (RFC 1035, 2.3.4).
pub const HOSTNAME_BYTES: usize = 253;
/// Longest label of a hostname, in bytes (RFC 1035, 2.3.4).
pub const LABEL_BYTES: usize = 63;
/// Longest value of an attribute, in bytes: it becomes part of an index key.
pub const ATTRIBUTE_BYTES: usize = 256;
/// Longest name of an attribute, in bytes.
pub const ATTRIBUTE_NAME_BYTES: usize = 64;
/// Most attributes a link.
pub const ATTRIBUTES: usize = 32;
/// Most routing rules a link.
pub const RULES: usize = 100;
/// Most values of one rule's list (countries, referrers, networks).
pub const RULE_VALUES: usize = 300;
/// Longest value of a rule, as typed, in bytes.
pub const RULE_VALUE_BYTES: usize = 4 * 1024;
/// Longest identifier of a rule or script, in bytes.
pub const RULE_ID_BYTES: usize = 64;
/// Most retargeting scripts a link.
pub const SCRIPTS: usize = 20;
/// Longest retargeting script, in bytes.
pub const SCRIPT_BYTES: usize = 16 * 1024;
/// Most tags a link.
pub const TAGS: usize = 50;
/// Longest title, tag or UTM value, in bytes.
pub const TITLE_BYTES: usize = 1024;
/// Longest description or notes, in bytes.
pub const TEXT_BYTES: usize = 16 * 1024;
