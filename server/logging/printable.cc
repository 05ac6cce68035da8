#include "server/logging/printable.h"

#include <fmt/core.h>

#include <algorithm>

#include "protocol/utf8.h"

namespace tandem {

namespace {

/// U+0080 to U+009F: ESC and its like in other clothes.
bool is_c1(std::string_view text, std::size_t at) {
  return text[at] == '\xc2' && at + 1 < text.size() &&
         static_cast<unsigned char>(text[at + 1]) < 0xa0;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; }

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
}

/// Of valid UTF-8.
void append_valid(std::string& out, std::string_view text) {
  std::size_t plain = 0;  // where what needs no escape begins
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool c1 = is_c1(text, i);
    if (!c1 && !is_control(text[i])) continue;
    out += text.substr(plain, i - plain);
    if (c1) ++i;
    append_escaped(out, text[i]);
    plain = i + 1;
  }
  out += text.substr(plain);
}

/// Where to cut so that no character is split; a text without characters is cut anywhere.
std::size_t end_of_characters(std::string_view text, std::size_t most) {
  for (std::size_t end = most; end > 0 && most - end < 4; --end) {
    if ((static_cast<unsigned char>(text[end]) & 0xc0U) != 0x80U) return end;
  }
  return most;
}

}  // namespace

void append_printable(std::string& out, std::string_view text, std::size_t most) {
  std::string_view rest = text;
  if (text.size() > most) rest = text.substr(0, end_of_characters(text, most));
  while (!rest.empty()) {
    const Utf8Scan scan = scan_utf8(rest);
    if (scan.fault.empty()) {
      append_valid(out, rest);
      break;
    }
    const auto valid = static_cast<std::size_t>(scan.fault.data() - rest.data());
    append_valid(out, rest.substr(0, valid));
    append_escaped(out, rest[valid]);
    rest.remove_prefix(valid + 1);
  }
  if (text.size() > most) out += fmt::format("... ({} bytes in all)", text.size());
}

std::string printable(std::string_view text, std::size_t most) {
  std::string out;
  append_printable(out, text, most);
  return out;
}

}  // namespace tandem
