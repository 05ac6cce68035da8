#include "server/logging/vlog.h"

#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "server/logging/rate_limit.h"

namespace tandem::log {
namespace {

Module raft("raft");
Module other("a_module_of_this_test");

/// A log file of its own, with all else silent, for one test.
class LogFile {
 public:
  LogFile() {
    set_syslog_method("null");
    apply_spec("off");
    apply_spec("vlog:off");
    CHECK(!open_file(path()));
    apply_spec("PATTERN:file:%c|%p|%m");
  }
  ~LogFile() {
    close_file();
    std::filesystem::remove(path());
  }
  static std::string path() { return "/tmp/tandem-vlog-test." + std::to_string(::getpid()); }
  static std::string contents() {
    std::ifstream file(path());
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

TEST_CASE("a line goes to the file when its level is enabled") {
  const LogFile file;
  apply_spec("raft:file:info");
  raft.info("one {}", 1);
  raft.dbg("two");
  other.err("three");
  CHECK(LogFile::contents() == "raft|INFO|one 1\n");
}

TEST_CASE("a module is enabled only for destinations that are in use") {
  {
    const LogFile file;
    apply_spec("raft:file:dbg");
    CHECK(raft.enabled(Level::kDbg));
  }
  CHECK(!raft.enabled(Level::kEmer));
}

TEST_CASE("each line of a text has its own prefix") {
  const LogFile file;
  apply_spec("raft:file:info");
  raft.write_lines(Level::kWarn, "a\nb\n");
  CHECK(LogFile::contents() == "raft|WARN|a\nraft|WARN|b\n");
}

TEST_CASE("lines written after a rotation go to the new file") {
  const LogFile file;
  apply_spec("raft:file:info");
  raft.info("old");
  std::filesystem::rename(LogFile::path(), LogFile::path() + ".1");
  CHECK(!reopen_file());
  raft.info("new");
  CHECK(LogFile::contents() == "raft|INFO|new\n");
  std::filesystem::remove(LogFile::path() + ".1");
}

TEST_CASE("lines of many threads are never mixed") {
  const LogFile file;
  apply_spec("raft:file:info");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int n = 0; n < 200; ++n) raft.info("0123456789");
    });
  }
  for (auto& thread : threads) thread.join();
  std::string expected;
  for (int n = 0; n < 800; ++n) expected += "raft|INFO|0123456789\n";
  CHECK(LogFile::contents() == expected);
}

TEST_CASE("a rate limit holds until it is disabled for the module") {
  const LogFile file;
  apply_spec("raft:file:info");
  RateLimit limit(1, 1);
  CHECK(limit.admit(raft, Level::kInfo));
  CHECK(!limit.admit(raft, Level::kInfo));
  CHECK(!set_rate_limiting({"raft"}, false));
  CHECK(limit.admit(raft, Level::kInfo));
  CHECK(list_levels().find(
            "raft               OFF        OFF       INFO    (rate limiting disabled)\n") !=
        std::string::npos);
  CHECK(!set_rate_limiting({}, true));
  CHECK(set_rate_limiting({"raft", "nope"}, false) == "unknown module");
}

TEST_CASE("the list of patterns has syslog's prefix") {
  const LogFile file;
  CHECK(list_patterns() ==
        "         prefix                            format\n"
        "         ------                            ------\n"
        "SYSLOG                                     ovs|%05N|%c%T|%p|%m\n"
        "CONSOLE  none                              %D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m\n"
        "FILE     none                              %c|%p|%m\n");
}

TEST_CASE("an unknown syslog method is an error") {
  CHECK(set_syslog_method("foo") == "unsupported syslog method 'foo'");
}

TEST_CASE("a log file that cannot be opened is a problem") {
  const LogFile file;
  CHECK(open_file("/nonexistent/x") == "No such file or directory");
  CHECK(!open_file(LogFile::path()));
}

TEST_CASE("a message is one line of text, whatever it quotes") {
  const LogFile file;
  apply_spec("raft:file:info");
  raft.warn("peer says \"{}\"", "x\n2026|00001|raft|EMER|forged\x1b[2J\r");
  CHECK(LogFile::contents() ==
        "raft|WARN|peer says \"x\\n2026|00001|raft|EMER|forged\\x1b[2J\\r\"\n");
}

TEST_CASE("a long message is cut, but for one at DBG") {
  const LogFile file;
  apply_spec("raft:file:dbg");
  const std::string name(1'000'000, 'n');
  raft.err("{}", name);
  CHECK(LogFile::contents().size() < 5000);
  CHECK_THAT(LogFile::contents(), Catch::EndsWith("... (1000000 bytes in all)\n"));
  raft.dbg("{}", name);
  CHECK(LogFile::contents().size() > 1'000'000);
}

TEST_CASE("a log file that may be no link is no other file by another name") {
  const LogFile file;
  const std::string target = LogFile::path() + ".target";
  const std::string link = LogFile::path() + ".link";
  std::ofstream(target) << "secret";
  std::filesystem::create_symlink(target, link);
  CHECK(open_file(link, Links::kRefuse) == "Too many levels of symbolic links");
  CHECK(!open_file(link));
  std::filesystem::remove(link);
  close_file();
  std::filesystem::create_hard_link(target, link);
  CHECK(open_file(link, Links::kRefuse) == "Operation not permitted");
  std::filesystem::remove(link);
  CHECK(!open_file(target, Links::kRefuse));
  close_file();
  std::filesystem::remove(target);
}

TEST_CASE("a log file that could not be opened is tried again") {
  const LogFile file;
  close_file();
  // No more descriptors are as good as no more inodes.
  struct rlimit before {};
  ::getrlimit(RLIMIT_NOFILE, &before);
  struct rlimit none = before;
  none.rlim_cur = 0;
  ::setrlimit(RLIMIT_NOFILE, &none);
  const Problem problem = open_file(LogFile::path());
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(problem == "Too many open files");
  CHECK(file_descriptor() < 0);
  CHECK(!reopen_file());
  CHECK(file_descriptor() >= 0);
}

TEST_CASE("warnings that the console does not show are kept while a server starts") {
  const LogFile file;
  raft.warn("before");
  keep_warnings();
  raft.info("one");
  raft.warn("two");
  keep_warnings();
  raft.err("three");
  apply_spec("raft:console:err");
  raft.warn("four");
  CHECK(take_kept_warnings() == std::vector<std::string>{"two", "three", "four"});
  CHECK(!raft.enabled(Level::kWarn));
  raft.warn("five");
  CHECK(take_kept_warnings().empty());
  apply_spec("off");
}

TEST_CASE("a log file that could not be opened is missed, one that was closed is not") {
  set_syslog_method("null");
  apply_spec("off");
  CHECK(open_file("/nonexistent/log"));
  CHECK(file_health().path == "/nonexistent/log");
  CHECK(file_health().open_error == ENOENT);
  {
    const LogFile file;
    CHECK(file_health().path == LogFile::path());
    CHECK(file_health().can_write());
  }
  CHECK(file_health().path.empty());
  CHECK(file_health().can_write());
}

}  // namespace
}  // namespace tandem::log
