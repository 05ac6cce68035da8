#include "bench/ovn.h"

#include <fmt/format.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "bench/reply.h"
#include "bench/void.h"
#include "protocol/uuid.h"

namespace tandem::bench {

namespace {

/// In every row that a scenario has made for others to see.
constexpr std::string_view kMark = "tandem-bench-";

/// The same with what tells this run from others on the same server.
const std::string& run_mark() {
  static const std::string mark = fmt::format("{}{}:", kMark, run_name());
  return mark;
}

}  // namespace

std::vector<std::string> uuids_of(Client& client, std::string_view database,
                                  std::string_view table) {
  const std::string reply = client.call(
      "transact",
      fmt::format(R"(["{}",{{"op":"select","table":"{}","where":[],"columns":["_uuid"]}}])",
                  database, table));
  std::vector<std::string> uuids;
  for (const Json& row : selected_rows(reply)) uuids.push_back(text_at(row, "/_uuid/1"));
  require(!uuids.empty(), fmt::format("{} has no rows", table));
  return uuids;
}

std::string whole_database(Client& client, std::string_view database, bool initial,
                           const std::map<std::string, std::string>& conditions) {
  const Json reply = read_reply(client.call("get_schema", fmt::format(R"(["{}"])", database)));
  std::string text = "{";
  for (const auto& [table, definition] : value_at(reply, "/result/tables").items()) {
    text += fmt::format(R"({}"{}":[{{"columns":)", text.size() > 1 ? "," : "", table);
    Json columns = Json::array();
    for (const auto& column : value_at(definition, "/columns").items())
      columns.push_back(column.key());
    append_json(text, columns);
    if (const auto where = conditions.find(table); where != conditions.end())
      text += R"(,"where":)" + where->second;
    if (!initial) text += R"(,"select":{"initial":false})";
    text += "}]";
  }
  return text + "}";
}

// --- contents ---

std::string Contents::digest_text() const { return fmt::format("{:016x}-{}", digest, rows); }

Contents read_contents(std::string_view reply) {
  Contents contents;
  const Json parsed = read_reply(reply);
  contents.found = value_at(parsed, "/result/0") == true;
  contents.last_id = text_at(parsed, "/result/1");
  const std::hash<std::string> hash;
  std::string text;
  for (const auto& [table, rows] : value_at(parsed, "/result/2").items()) {
    for (const auto& [uuid, update] : rows.items()) {
      text.clear();
      append_json(text, update);
      if (const std::int64_t mark = find_mark(text); mark >= 0) {
        require(contents.marks.insert(static_cast<std::uint64_t>(mark)).second,
                fmt::format("row {} came twice", mark));
        continue;
      }
      if (text.find(kMark) != std::string::npos) continue;
      text += uuid;
      text += table;
      contents.digest += hash(text);
      ++contents.rows;
      ++contents.rows_of[table];
    }
  }
  return contents;
}

const std::string& run_name() {
  static const std::string name = Uuid::random().to_string().substr(0, 8);
  return name;
}

std::int64_t find_mark(std::string_view text, std::size_t& at) {
  at = text.find(run_mark(), at);
  if (at == std::string_view::npos) return -1;
  at += run_mark().size();
  std::int64_t number = 0;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9')
    number = number * 10 + (text[at++] - '0');
  return number;
}

std::int64_t find_mark(std::string_view text) {
  std::size_t at = 0;
  return find_mark(text, at);
}

// --- the writer ---

FlowWriter::FlowWriter(Client& client, std::vector<std::string> datapaths)
    : client_(client), datapaths_(std::move(datapaths)) {
  client_.on_message = [this](std::string_view reply) {
    require(reply_id(reply) == static_cast<std::int64_t>(answered_),
            "a reply is out of order: " + std::string(reply.substr(0, 200)));
    check_result(reply, 0);
    latencies.add(now_ns() - sent_at_[answered_]);
    ++answered_;
  };
}

std::uint64_t FlowWriter::write() { return write(datapaths_[sent() % datapaths_.size()]); }

std::uint64_t FlowWriter::write(const std::string& datapath) {
  const std::uint64_t number = sent();
  client_.send(request(
      static_cast<std::int64_t>(number), "transact",
      fmt::format(
          R"(["OVN_Southbound",{{"op":"insert","table":"Logical_Flow","row":{{)"
          R"("logical_datapath":["uuid","{}"],"pipeline":"ingress","table_id":8,"priority":2001,)"
          R"("match":"{}{} && inport == \"sw0-port{}\" && eth.src == 0a:00:00:00:00:01 && ip4 && )"
          R"(ip4.src == {{10.0.0.1, 10.0.0.2}} && tcp.dst == {{80, 443, 8080, 8443}}",)"
          R"("actions":"reg0[7] = 1; reg0[1] = 1; ct_label = 0x1; next(pipeline=ingress,table=9);",)"
          R"("external_ids":["map",[["source","northd.c:6041"],["stage-hint","3e1b7a5c"],)"
          R"(["stage-name","ls_in_acl"]]]}}}}])",
          datapath, run_mark(), number, number % 1000)));
  sent_at_.push_back(now_ns());
  return number;
}

void FlowWriter::write_at_rate(Loop& loop, double per_second) {
  running_ = true;
  schedule(loop, now_ns(), static_cast<std::int64_t>(1e9 / per_second));
}

void FlowWriter::schedule(Loop& loop, std::int64_t at_ns, std::int64_t step_ns) {
  loop.at(at_ns, [this, &loop, at_ns, step_ns] {
    if (!running_) return;
    write();
    schedule(loop, at_ns + step_ns, step_ns);
  });
}

}  // namespace tandem::bench
