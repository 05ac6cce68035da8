#pragma once

#include <concepts>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "protocol/error.h"
#include "protocol/json/json_document.h"

namespace tandem {

/// A JSON value, wherever one is wanted: configuration, control commands, status, tools, agent.
/// Transactions and updates are read and written without one.
///
/// Nothing that throws is asked of it: what comes from outside is looked at with find_member() and
/// get_ptr<T>(), where numbers without a fraction that fit are std::int64_t. It is written by
/// append_json(): its own dump() throws for strings that are not UTF-8.
using Json = nlohmann::json;
/// The same with members in the order in which they were put in: for output that people read.
/// Looking for a member takes as long as there are members.
using OrderedJson = nlohmann::ordered_json;

/// Functions take exactly these: what else could be made a value stays what it is.
template <class Value>
concept JsonValue = std::same_as<Value, Json> || std::same_as<Value, OrderedJson>;

/// What was read (json_reader.h), as a value.
Json to_value(JsonView value);

/// Reads a text that is one JSON value, by the rules and with the errors of parse_json().
Result<Json> read_json(std::string_view text);

/// The member of that name; null if there is none, or `value` is no object.
const Json* find_member(const Json& value, std::string_view name);

/// Appends `value` compactly, strings and reals as ovsdb-server prints them (json_output.h).
/// Members are sorted by name, those of an OrderedJson as they were put in.
template <JsonValue Value>
void append_json(std::string& out, const Value& value);

template <JsonValue Value>
std::string to_text(const Value& value);

/// The same with as many digits of reals as they need to be read back as they are.
std::string to_exact_text(const Json& value);

/// The text as errors show it, cut off after 64 KB.
std::string excerpt(const Json& value);

}  // namespace tandem
