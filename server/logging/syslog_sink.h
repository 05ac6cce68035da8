#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "server/logging/sent.h"

namespace tandem::log {

/// Carries lines to a syslog daemon, and waits for none. Used under the logger's lock; lives as
/// long as the process or until replaced.
class SyslogSink {
 public:
  virtual ~SyslogSink() = default;
  /// The pattern of what goes before the line.
  virtual std::string_view prefix() const = 0;
  /// False if nothing is ever sent.
  virtual bool active() const { return true; }
  /// `facility` is a number of RFC 5424, 0 for the default.
  virtual Sent send(int facility, int severity, const std::string& prefix,
                    const std::string& line) = 0;
};

/// Makes the sink that --syslog-method names (ovsdb-server(1)): "libc", "null", "unix:FILE",
/// "udp:IP:PORT". Null if it names none.
std::unique_ptr<SyslogSink> make_syslog_sink(std::string_view method);

/// Sends to "HOST:PORT" by UDP in the form of RFC 5424's predecessor; null if the address cannot be
/// read.
std::unique_ptr<SyslogSink> make_syslog_target(std::string_view address);

}  // namespace tandem::log
