#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/error.h"

namespace tandem {

/// A connection target as ovsdb(7), "Connection Methods", and surface section 11 list them.
struct Target {
  enum class Kind : std::uint8_t {
    kTcp,    ///< tcp:HOST:PORT, connect
    kSsl,    ///< ssl:HOST:PORT, connect
    kUnix,   ///< unix:FILE, connect
    kPtcp,   ///< ptcp:PORT[:IP], listen
    kPssl,   ///< pssl:PORT[:IP], listen
    kPunix,  ///< punix:FILE, listen
    kPfd,    ///< pfd:FD, a listening socket that was inherited
  };
  Kind kind = Kind::kTcp;
  std::string text;  ///< as given
  std::string host;  ///< without brackets; empty for listeners on every address
  std::uint16_t port = 0;
  std::string path;  ///< unix, punix
  int fd = -1;       ///< pfd

  bool is_passive() const {
    return kind == Kind::kPtcp || kind == Kind::kPssl || kind == Kind::kPunix || kind == Kind::kPfd;
  }
  bool is_tls() const { return kind == Kind::kSsl || kind == Kind::kPssl; }
  bool operator==(const Target&) const = default;

  /// Reads a target; default port 6640 where ovsdb(7) has one. A list "a,b,c" is the caller's to
  /// split.
  static Result<Target> parse(std::string_view text);
};

/// What a "db:DB,TABLE,COLUMN" names.
struct ColumnPath {
  std::string database;
  std::string table;
  std::string column;
  /// Requires the "db:" in front; error when parts are missing.
  static Result<ColumnPath> parse(std::string_view text);
};

}  // namespace tandem
