#include "server/writer/server_schema.h"

namespace tandem {

const SchemaRef& server_schema() {
  static const SchemaRef schema = DatabaseSchema::from_text(R"({
    "name": "_Server",
    "version": "1.2.0",
    "cksum": "3009684573 744",
    "tables": {
      "Database": {
        "columns": {
          "name": {"type": "string"},
          "model": {"type": {"key": {"type": "string", "enum": ["set", ["clustered", "relay", "standalone"]]}}},
          "connected": {"type": "boolean"},
          "leader": {"type": "boolean"},
          "schema": {"type": {"key": "string", "min": 0}},
          "cid": {"type": {"key": "uuid", "min": 0}},
          "sid": {"type": {"key": "uuid", "min": 0}},
          "index": {"type": {"key": "integer", "min": 0}}
        }
      }
    }
  })")
                                      .value();
  return schema;
}

}  // namespace tandem
