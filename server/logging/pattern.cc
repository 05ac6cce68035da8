#include "server/logging/pattern.h"

#include <cctype>

#include "server/logging/level.h"

namespace tandem::log {

namespace {

/// Replaces each run of '#' by that many digits of the fraction of the second; known to the
/// millisecond.
std::string insert_fraction(std::string_view format, long milliseconds) {
  std::string out;
  std::size_t digit = 0;
  const std::string digits = fmt::format("{:03}", milliseconds);
  for (const char c : format) {
    if (c != '#') {
      out += c;
      digit = 0;
    } else {
      out += digit < digits.size() ? digits[digit] : '0';
      ++digit;
    }
  }
  return out;
}

std::string format_time(std::string_view format, const std::timespec& time, bool utc) {
  std::tm parts{};
  if (utc) {
    gmtime_r(&time.tv_sec, &parts);
  } else {
    localtime_r(&time.tv_sec, &parts);
  }
  const std::string expanded = insert_fraction(format, time.tv_nsec / 1'000'000);
  std::string out(256, '\0');
  out.resize(std::strftime(out.data(), out.size(), expanded.c_str(), &parts));
  return out;
}

/// The text of one escape. `argument` is what stood in braces after %d or %D.
std::string expand(char escape, std::string_view argument, const Line& line) {
  constexpr std::string_view kDefaultTime = "%Y-%m-%d %H:%M:%S.###";
  switch (escape) {
    case 'A':
      return std::string(line.program);
    case 'B':
      return fmt::format("{}", line.facility * 8 + syslog_severity(line.level));
    case 'c':
      return std::string(line.module);
    case 'd':
      return format_time(argument.empty() ? kDefaultTime : argument, line.time, false);
    case 'D':
      return format_time(argument.empty() ? kDefaultTime : argument, line.time, true);
    case 'E':
      return std::string(line.host);
    case 'm':
      return std::string(line.message);
    case 'N':
      return fmt::format("{}", line.sequence);
    case 'n':
      return "\n";
    case 'p':
      return std::string(level_name(line.level));
    case 'P':
      return fmt::format("{}", line.pid);
    case 'r':
      return fmt::format("{}", line.uptime_ms);
    case 't':
      return line.subprogram.empty() ? "main" : std::string(line.subprogram);
    case 'T':
      return line.subprogram.empty() ? "" : fmt::format("({})", line.subprogram);
    default:
      return std::string(1, escape);
  }
}

}  // namespace

void append_line(std::string& out, std::string_view pattern, const Line& line) {
  std::size_t at = 0;
  const auto peek = [&] { return at < pattern.size() ? pattern[at] : '\0'; };
  while (at < pattern.size()) {
    if (pattern[at] != '%') {
      out += pattern[at++];
      continue;
    }
    ++at;
    const bool left = peek() == '-';
    if (left) ++at;
    const char padding = peek() == '0' ? '0' : ' ';
    if (padding == '0') ++at;
    std::size_t width = 0;
    for (; std::isdigit(static_cast<unsigned char>(peek())) != 0; ++at) {
      if (width < 1000) width = width * 10 + static_cast<std::size_t>(peek() - '0');
    }
    if (at == pattern.size()) return;
    const char escape = pattern[at++];
    std::string_view argument;
    if ((escape == 'd' || escape == 'D') && peek() == '{') {
      const std::size_t end = pattern.find('}', at);
      if (end != std::string_view::npos) {
        argument = pattern.substr(at + 1, end - at - 1);
        at = end + 1;
      }
    }
    const std::string text = expand(escape, argument, line);
    const std::size_t fill = text.size() < width ? width - text.size() : 0;
    if (!left) out.append(fill, padding);
    out += text;
    if (left) out.append(fill, padding);
  }
}

}  // namespace tandem::log
