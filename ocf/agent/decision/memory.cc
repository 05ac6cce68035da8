#include "ocf/agent/decision/memory.h"

#include "protocol/json/fields.h"

namespace tandem::agent {

namespace {

/// Calls `field` with the name and the place of each value, so that writing and reading agree.
template <class M, class Field>
void each_field(M& memory, Field field) {
  field("boot", memory.boot);
  field("started", memory.started);
  field("score", memory.score);
  field("full_by_list", memory.full_by_list);
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
  field("undecided", memory.undecided);
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

}  // namespace

void Memory::forget_waiting() {
  alone_since.reset();
  was_alone = let_go = refused = full_by_list = false;
}

Memory Memory::without_servers() const {
  Memory rest;
  rest.turn = turn;
  rest.taken_epoch = taken_epoch;
  rest.unfit = unfit;
  rest.refused = refused;
  rest.alone_since = alone_since;
  rest.let_go = let_go;
  return rest;
}

std::string Memory::to_text() const {
  Json object = {{"format", kFormat}};
  each_field(*this, FieldWriter{object});
  return tandem::to_text(object) + "\n";
}

Memory Memory::from_text(std::string_view text) {
  Memory memory;
  const Result<Json> value = read_json(text);
  if (!value) return memory;
  const auto* const format = find_as<std::int64_t>(*value, "format");
  if (format == nullptr || *format != kFormat) return memory;
  each_field(memory, FieldReader{*value});
  return memory;
}

}  // namespace tandem::agent
