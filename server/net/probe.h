#pragma once

#include <cstdint>

namespace tandem::net {

/// Inactivity probes of one connection (ovsdb-server(5), "inactivity_probe"): after a silence of
/// the interval an "echo" request goes out, after as much silence again the connection is given up.
/// Sans-IO; times are milliseconds of one monotonic clock, handed in.
class Probe {
 public:
  enum class Action : std::uint8_t {
    kNone,
    kSendEcho,    ///< the peer has been silent for an interval: ask it
    kDisconnect,  ///< the peer has not answered for another one
  };

  /// An interval of 0 turns probes off.
  Probe(std::int64_t interval_ms, std::int64_t now_ms) : heard_ms_(now_ms) {
    set_interval(interval_ms);
  }

  /// The peer showed life: bytes came, or it took bytes that had been waiting.
  void heard(std::int64_t now_ms);
  /// Takes effect from the last sign of life on.
  void set_interval(std::int64_t interval_ms);
  /// What is due now. kSendEcho comes once a silence. kDisconnect repeats until something is heard.
  Action check(std::int64_t now_ms);
  /// When check() is next worth a call; never (the largest time) if probes are off.
  std::int64_t deadline_ms() const;
  std::int64_t interval_ms() const { return interval_ms_; }

 private:
  static constexpr std::int64_t kLongestMs = std::int64_t{1} << 40;

  enum class State : std::uint8_t {
    kActive,  ///< heard from lately
    kIdle,    ///< the echo request is out
  };

  std::int64_t interval_ms_ = 0;
  std::int64_t heard_ms_;
  std::int64_t asked_ms_ = 0;  ///< in kIdle
  State state_ = State::kActive;
};

}  // namespace tandem::net
