#include "protocol/json/json_document.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "protocol/json/json_lexer.h"

namespace tandem {

JsonDocument::JsonDocument(std::string_view text, std::string_view unescaped,
                           const std::vector<JsonNode>& nodes, Text whose) {
  const std::size_t node_bytes = nodes.size() * sizeof(JsonNode);
  const std::size_t text_bytes = whose == Text::kCopied ? text.size() : 0;
  void* const memory = ::operator new(sizeof(Data) + node_bytes + text_bytes + unescaped.size());
  data_.reset(new (memory) Data);
  char* at = static_cast<char*>(memory) + sizeof(Data);
  data_->nodes = reinterpret_cast<const JsonNode*>(at);
  std::memcpy(at, nodes.data(), node_bytes);
  at += node_bytes;
  data_->text = whose == Text::kCopied ? at : text.data();
  if (text_bytes > 0) std::memcpy(at, text.data(), text_bytes);
  at += text_bytes;
  data_->unescaped = at;
  if (!unescaped.empty()) std::memcpy(at, unescaped.data(), unescaped.size());
}

JsonDocument::JsonDocument(std::string&& text, std::string&& unescaped,
                           std::vector<JsonNode>&& nodes)
    : data_(new (::operator new(sizeof(Data))) Data) {
  data_->own_text = std::move(text);
  data_->own_unescaped = std::move(unescaped);
  data_->own_nodes = std::move(nodes);
  data_->nodes = data_->own_nodes.data();
  data_->text = data_->own_text.data();
  data_->unescaped = data_->own_unescaped.data();
}

void JsonDocument::Delete::operator()(Data* data) const {
  data->~Data();
  ::operator delete(data);
}

JsonView JsonView::operator[](std::size_t index) const {
  JsonView element{index_, at_ + 1};
  for (; index > 0; --index) element.at_ = element.end();
  return element;
}

JsonView JsonView::find(std::string_view name) const {
  if (!is_object()) return {};
  for (const JsonMember& member : members()) {
    if (member.name == name) return member.value;
  }
  return {};
}

std::vector<JsonMember> sorted_members(JsonView object) {
  std::vector<JsonMember> members;
  members.reserve(object.size());
  for (const JsonMember& member : object.members()) members.push_back(member);
  std::sort(members.begin(), members.end(),
            [](const JsonMember& a, const JsonMember& b) { return a.name < b.name; });
  return members;
}

bool as_integer(JsonView value, std::int64_t& out) {
  return value && value.is_number() && read_integer(value.number_text(), out);
}

double as_real(JsonView value) {
  const std::string_view text = value.number_text();
  const auto integer = exact_integer(text);
  return integer ? static_cast<double>(*integer) : nearest_real(text);
}

}  // namespace tandem
