#include "ocf/agent/decision/memory.h"

#include <nlohmann/json.hpp>

#include "protocol/json/value.h"

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
  Json& object;
  template <class T>
  void operator()(const std::string& name, const T& value) const {
    object[name] = value;
  }
  void operator()(const std::string& name, const std::optional<std::int64_t>& value) const {
    if (value) object[name] = *value;
  }
};

/// What is missing or of another kind leaves the value as it is.
struct Reader {
  const Json& object;

  template <class T>
  const T* find(const std::string& name) const {
    const Json* const member = find_member(object, name);
    return member == nullptr ? nullptr : member->get_ptr<const T*>();
  }
  template <class T>
  void operator()(const std::string& name, T& value) const {
    if (const T* const found = find<T>(name)) value = *found;
  }
  void operator()(const std::string& name, std::optional<std::int64_t>& value) const {
    if (const auto* found = find<std::int64_t>(name)) value = *found;
  }
  void operator()(const std::string& name, std::vector<std::int64_t>& values) const {
    const auto* const elements = find<Json::array_t>(name);
    if (elements == nullptr) return;
    for (const Json& element : *elements) {
      if (const auto* number = element.get_ptr<const std::int64_t*>()) values.push_back(*number);
    }
  }
};

}  // namespace

std::string Memory::to_text() const {
  Json object = {{"format", kFormat}};
  each_field(*this, Writer{object});
  return tandem::to_text(object) + "\n";
}

Memory Memory::from_text(std::string_view text) {
  Memory memory;
  const Result<Json> value = read_json(text);
  if (!value) return memory;
  const auto* const format = Reader{*value}.find<std::int64_t>("format");
  if (format == nullptr || *format != kFormat) return memory;
  each_field(memory, Reader{*value});
  return memory;
}

}  // namespace tandem::agent
