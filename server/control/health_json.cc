#include "server/control/health_json.h"

#include <nlohmann/json.hpp>

#include "server/control/iso_time.h"
#include "server/control/trouble.h"
#include "server/logging/printable.h"

namespace tandem::control {

namespace {

OrderedJson log_file_json(const log::FileHealth& health) {
  if (health.path.empty()) return OrderedJson::object();
  OrderedJson object = {{"path", printable(health.path)}, {"writable", health.can_write()}};
  if (!health.can_write()) object["fault"] = printable(health.fault());
  object["waiting_ms"] = health.waiting.count();
  return object;
}

OrderedJson key_file_json(const net::KeyFile& file) {
  OrderedJson object = {{"option", file.option()}, {"path", printable(file.path)}};
  if (!file.problem.empty()) object["fault"] = printable(file.problem);
  if (file.start) object["start"] = iso_time(*file.start);
  if (file.expiry) object["expiry"] = iso_time(*file.expiry);
  return object;
}

OrderedJson trouble_json(const Trouble& trouble) {
  return {{"kind", trouble.name()},
          {"subject", printable(trouble.subject)},
          {"what", printable(trouble.what)},
          {"stops_writing", trouble.stops_writing()}};
}

}  // namespace

OrderedJson health_json(const ServerStatus& status) {
  const std::string fault = printable(status.disk_fault());
  OrderedJson troubles = OrderedJson::array();
  for (const Trouble& trouble : troubles_of(status)) troubles.push_back(trouble_json(trouble));
  OrderedJson key_files = OrderedJson::array();
  for (const net::KeyFile& file : status.key_files) key_files.push_back(key_file_json(file));
  return {{"writable", fault.empty()},
          {"fault", fault},
          {"troubles", std::move(troubles)},
          {"log_file", log_file_json(status.log_file)},
          {"key_files", std::move(key_files)}};
}

OrderedJson health_json(const storage::LogHealth& health) {
  OrderedJson object = {{"writable", health.can_write()}};
  if (!health.can_write()) object["fault"] = printable(health.fault());
  if (health.damage) {
    object["damage"] = {{"offset", health.damage->offset},
                        {"bytes", health.damage->bytes},
                        {"record", health.damage->record},
                        {"whole_behind", health.damage->whole_behind}};
  }
  if (health.failure) object["failing_since"] = iso_time(health.failing_since);
  object["waiting_ms"] = health.waiting.count();
  return object;
}

}  // namespace tandem::control
