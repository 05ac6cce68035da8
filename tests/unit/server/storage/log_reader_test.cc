#include "server/storage/log_reader.h"

#include <catch2/catch.hpp>
#include <vector>

#include "server/storage/sha1.h"
#include "tests/support/fake_file_system.h"
#include "tests/support/print.h"
#include "tests/unit/server/storage/log_text.h"

using namespace tandem;
using namespace tandem::storage;
using namespace tandem::test;

namespace {

/// What a reader makes of a file with these bytes.
struct Reading {
  std::vector<std::string> bodies;
  LogEnd end = LogEnd::kNotYet;
  std::uint64_t end_of_records = 0;
  std::string error;
};

Reading read_all(FakeFileSystem& disk) {
  const auto file = disk.open("db", FileSystem::Access::kReadOnly).value();
  LogReader reader(*file, "db");
  Reading reading;
  while (reader.end() == LogEnd::kNotYet) {
    const Result<std::optional<Record>> record = reader.next();
    if (!record)
      reading.error = record.error().to_string();
    else if (*record)
      reading.bodies.emplace_back((*record)->body);
  }
  reading.end = reader.end();
  reading.end_of_records = reader.end_of_records();
  return reading;
}

Reading read_all(const std::string& contents) {
  FakeFileSystem disk;
  disk.put("db", contents);
  return read_all(disk);
}

std::string file_type_error(const std::string& contents) {
  FakeFileSystem disk;
  disk.put("db", contents);
  const auto file = disk.open("db", FileSystem::Access::kReadOnly).value();
  const Result<void> good = check_file_type(*file, "db");
  return good ? "" : good.error().to_string();
}

const std::string kGood = log_text({R"({"a":1})", R"({"b":2})"});

}  // namespace

TEST_CASE("A reader gives all records in order and ends clean") {
  const Reading reading = read_all(kGood);
  CHECK(reading.bodies ==
        std::vector<std::string>{std::string(kSchema) + "\n", "{\"a\":1}\n", "{\"b\":2}\n"});
  CHECK(reading.end == LogEnd::kClean);
  CHECK(reading.end_of_records == kGood.size());
  CHECK(reading.error == "");
}

TEST_CASE("A reader tells where a record and its body begin") {
  FakeFileSystem disk;
  disk.put("db", kGood);
  const auto file = disk.open("db", FileSystem::Access::kReadOnly).value();
  LogReader reader(*file, "db");
  const Record schema = **reader.next();
  CHECK(schema.index == 0);
  CHECK(schema.offset == 0);
  CHECK(schema.body_offset == kGood.find('{'));
  CHECK(schema.sha1 == prepare_record(kSchema).sha1);
  const Record first = **reader.next();
  CHECK(first.index == 1);
  CHECK(first.offset == record_text(kSchema).size());
  CHECK(first.body_offset == kGood.find("{\"a\""));
}

TEST_CASE("Records larger and smaller than the buffer are read") {
  std::vector<std::string> bodies;
  for (std::size_t size : {1u << 20, 10u, (1u << 20) - 80, 3u << 20, 0u, 1u << 10}) {
    bodies.push_back("{\"x\":\"" + std::string(size, 'y') + "\"}");
    for (int i = 0; i < 1000; i++) bodies.push_back("{\"n\":" + std::to_string(i) + "}");
  }
  const Reading reading = read_all(log_text(bodies));
  REQUIRE(reading.end == LogEnd::kClean);
  REQUIRE(reading.bodies.size() == bodies.size() + 1);
  for (std::size_t i = 0; i < bodies.size(); i++)
    if (reading.bodies[i + 1] != bodies[i] + "\n") FAIL("record " << i << " differs");
}

TEST_CASE("A bad tail gives the records before it and the words of ovsdb-server") {
  const std::string n = std::to_string(kGood.size());
  const std::string body = R"({"c":3})";
  const std::string header = prepare_record(body).header;
  const std::string body_at = std::to_string(kGood.size() + header.size());
  const std::string sha1 = header.substr(header.size() - 41, 40);
  const std::string wrong(40, 'a');

  const auto [tail, error] = GENERATE_COPY(table<std::string, std::string>({
      {"xxx\n", "syntax error: db: parse error at offset " + n + " in header line \"xxx\""},
      {"xxx", "syntax error: db: parse error at offset " + n + " in header line \"xxx\""},
      {"\n", "syntax error: db: parse error at offset " + n + " in header line \"\""},
      {"OVSDB JSON 8",
       "syntax error: db: parse error at offset " + n + " in header line \"OVSDB JSON\""},
      {"OVSDB CLUSTER 8 " + sha1 + "\n" + body + "\n",
       "syntax error: db: parse error at offset " + n + " in header line \"OVSDB CLUSTER\""},
      {std::string(300, 'x'), "syntax error: db: parse error at offset " + n +
                                  " in header line \"" + std::string(127, 'x') + "\""},
      {header,
       "I/O error: db: error reading 8 bytes starting at offset " + body_at + " (End of file)"},
      {header.substr(0, header.size() - 1),
       "I/O error: db: error reading 8 bytes starting at offset " + body_at + " (End of file)"},
      {header + body,
       "I/O error: db: error reading 8 bytes starting at offset " + body_at + " (End of file)"},
      {"OVSDB JSON 8 " + wrong + "\n" + body + "\n",
       "syntax error: db: 8 bytes starting at offset " + body_at + " have SHA-1 hash " + sha1 +
           " but should have hash " + wrong},
  }));
  INFO(tail);
  const Reading reading = read_all(kGood + tail);
  CHECK(reading.error == error);
  CHECK(reading.end == LogEnd::kTorn);
  CHECK(reading.bodies.size() == 3);
  CHECK(reading.end_of_records == kGood.size());
}

TEST_CASE("A bad record with more after it is damage, not a torn tail") {
  std::string damaged = kGood;
  damaged[damaged.find("\"a\"") + 1] = 'z';
  const Reading reading = read_all(damaged);
  CHECK(reading.end == LogEnd::kDamaged);
  CHECK(reading.bodies.size() == 1);
  CHECK(reading.end_of_records == record_text(kSchema).size());
}

TEST_CASE("A reader goes on with the next whole record behind damage") {
  std::string damaged = kGood;
  damaged[damaged.find("\"a\"") + 1] = 'z';
  FakeFileSystem disk;
  disk.put("db", damaged);
  const auto file = disk.open("db", FileSystem::Access::kReadOnly).value();
  LogReader reader(*file, "db");
  REQUIRE(reader.next().has_value());
  REQUIRE(reader.next().has_error());
  reader.skip_damage();
  const Result<std::optional<Record>> record = reader.next();
  REQUIRE((record && record->has_value()));
  CHECK((*record)->offset == damaged.rfind("OVSDB JSON"));
  const auto last = reader.next();
  CHECK((last && !last->has_value()));
}

TEST_CASE("A header alone behind a bad record makes no damage of a torn tail") {
  const std::string record = record_text(R"({"c":3})");
  CHECK(read_all(kGood + "xxx\n" + record.substr(0, record.size() - 4)).end == LogEnd::kTorn);
}

TEST_CASE("What cannot be read behind a bad record is not known to be torn") {
  FakeFileSystem disk;
  disk.put("db", kGood + "xxx\n");
  disk.fail(FakeFileSystem::Op::kRead, EIO, 1);
  CHECK(read_all(disk).end == LogEnd::kNoRead);
}

TEST_CASE("Damage is told from a torn tail over megabytes of rubbish") {
  const std::string rubbish((1 << 20) - 6, 'x');
  CHECK(read_all(kGood + rubbish).end == LogEnd::kTorn);
  CHECK(read_all(kGood + rubbish + "\n" + record_text("{}")).end == LogEnd::kDamaged);
}

TEST_CASE("A length that cannot be true takes no memory") {
  const Reading reading =
      read_all(kGood + "OVSDB JSON 9223372036854775807 " + std::string(40, 'a') + "\n{}\n");
  CHECK(reading.end == LogEnd::kTorn);
  CHECK(reading.error.starts_with("I/O error: db: error reading 9223372036854775807 bytes"));
}

TEST_CASE("A length that the file has takes no memory either when the digest is wrong") {
  FakeFileSystem disk;
  const std::size_t length = std::size_t{65} << 20;
  disk.put("db", kGood + "OVSDB JSON " + std::to_string(length) + " " + std::string(40, 'a') +
                     "\n" + std::string(length, '\0'));
  CHECK(read_all(disk).end == LogEnd::kTorn);
  CHECK(disk.longest_read() <= 1 << 20);
}

TEST_CASE("A record that is longer than what is taken at once is read") {
  FakeFileSystem disk;
  const std::string body = "\"" + std::string(std::size_t{65} << 20, 'x') + "\"";
  disk.put("db", kGood + record_text(body));
  const Reading reading = read_all(disk);
  CHECK(reading.end == LogEnd::kClean);
  REQUIRE(reading.bodies.size() == 4);
  CHECK(reading.bodies.back().size() >= body.size());
}

TEST_CASE("A body may lack its newline if length and hash agree") {
  const std::string body = R"({"c":3})";
  const std::string record = format_header(body.size(), Sha1().add(body).finish()) + body;
  const Reading reading = read_all(kGood + record + record_text(body));
  CHECK(reading.end == LogEnd::kClean);
  CHECK(reading.bodies.size() == 5);
}

TEST_CASE("A disk that does not read is neither torn nor damaged") {
  FakeFileSystem disk;
  disk.put("db", kGood);
  disk.fail(FakeFileSystem::Op::kRead, EIO);
  const Reading reading = read_all(disk);
  CHECK(reading.end == LogEnd::kNoRead);
  CHECK(reading.error.ends_with("(Input/output error)"));
}

TEST_CASE("Files that are no standalone database are named for what they are") {
  CHECK(file_type_error(kGood) == "");
  CHECK(file_type_error("") == "ovsdb error: db: cannot identify file type");
  CHECK(file_type_error("xxx\n") == "ovsdb error: db: unexpected file format");
  CHECK(file_type_error("OVSDB JSON") == "ovsdb error: db: unexpected file format");
  const std::string rest = " 2 " + std::string(40, 'a') + "\n{\n";
  CHECK(file_type_error("OVSDB FOO" + rest) == "ovsdb error: db: cannot identify file type");
  CHECK(file_type_error("OVSDB CLUSTER" + rest).find("ovsdb-tool cluster-to-standalone") !=
        std::string::npos);
}
