#include "ocf/agent/decision/memory.h"

#include <boost/json/parse.hpp>

#include "protocol/json.h"

namespace tandem::agent {

namespace {

/// Calls `field` with the name and the place of each value, so that writing and reading agree.
template <class M, class Field>
void each_field(M& memory, Field field) {
  field("started", memory.started);
  field("score", memory.score);
  field("was_cut_off", memory.was_cut_off);
  field("was_alone", memory.was_alone);
  field("alone_since", memory.alone_since);
  field("let_go", memory.let_go);
  field("refused", memory.refused);
  field("unfit", memory.unfit);
  field("round", memory.round);
  field("asked", memory.asked);
  field("leaving_since", memory.leaving_since);
  field("copies", memory.copies);
  field("settled", memory.settled);
  field("named", memory.named);
  field("keeping", memory.keeping);
  field("granted_at", memory.granted_at);
  field("granted_ms", memory.granted_ms);
  field("unsure_since", memory.unsure_since);
  field("turn", memory.turn);
  for (const Which which : kBoth) {
    const std::string ending = "_" + name_of(which);
    field("in_sync" + ending, memory.in_sync[which]);
    field("stock" + ending, memory.stock[which]);
    field("connection" + ending, memory.connection[which]);
    field("taken_epoch" + ending, memory.taken_epoch[which]);
    field("repaired" + ending, memory.repaired[which]);
  }
}

struct Writer {
  json::object& object;
  void operator()(const std::string& name, bool value) { object[name] = value; }
  void operator()(const std::string& name, const std::string& value) { object[name] = value; }
  void operator()(const std::string& name, std::int64_t value) { object[name] = value; }
  void operator()(const std::string& name, const std::optional<std::int64_t>& value) {
    if (value) object[name] = *value;
  }
  void operator()(const std::string& name, const std::vector<std::int64_t>& values) {
    object[name] = json::array(values.begin(), values.end());
  }
};

struct Reader {
  const json::object& object;

  const json::value* find(const std::string& name) const { return object.if_contains(name); }
  void operator()(const std::string& name, bool& value) {
    const json::value* found = find(name);
    if (found != nullptr && found->is_bool()) value = found->as_bool();
  }
  void operator()(const std::string& name, std::string& value) {
    const json::value* found = find(name);
    if (found != nullptr && found->is_string()) value = std::string(found->as_string());
  }
  void operator()(const std::string& name, std::int64_t& value) {
    const json::value* found = find(name);
    if (found != nullptr) as_integer(*found, value);
  }
  void operator()(const std::string& name, std::optional<std::int64_t>& value) {
    std::int64_t number = 0;
    const json::value* found = find(name);
    if (found != nullptr && as_integer(*found, number)) value = number;
  }
  void operator()(const std::string& name, std::vector<std::int64_t>& values) {
    const json::value* found = find(name);
    if (found == nullptr || !found->is_array()) return;
    for (const json::value& element : found->as_array()) {
      std::int64_t number = 0;
      if (as_integer(element, number)) values.push_back(number);
    }
  }
};

}  // namespace

std::string Memory::to_text() const {
  json::object object{{"format", kFormat}};
  each_field(*this, Writer{object});
  return tandem::to_text(object) + "\n";
}

Memory Memory::from_text(std::string_view text) {
  Memory memory;
  boost::system::error_code problem;
  const json::value value = json::parse(text, problem);
  if (problem || !value.is_object()) return memory;
  std::int64_t format = 0;
  const json::value* found = value.as_object().if_contains("format");
  if (found == nullptr || !as_integer(*found, format) || format != kFormat) return memory;
  each_field(memory, Reader{value.as_object()});
  return memory;
}

}  // namespace tandem::agent
