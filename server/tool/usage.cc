#include <fmt/core.h>

#include "server/tool/invocation.h"

namespace tandem::tool {

std::string usage(const Directories& directories) {
  return fmt::format(
      R"(ovsdb-tool: Tandem's tool for Open vSwitch database files
usage: ovsdb-tool [OPTIONS] COMMAND [ARG...]

Making and changing files (no server may have them open):
  create [DB [SCHEMA]]          make an empty DB with that SCHEMA
  compact [DB [TARGET]]         drop the history of DB, in place or into TARGET
  convert [DB [SCHEMA [TARGET]]]
                                move DB to SCHEMA, in place or into TARGET
  transact [DB] TRANSACTION     execute TRANSACTION on DB

Reading files (also those that a server has open):
  query [DB] TRANSACTION        execute TRANSACTION, and forget what it changed
  [-m]... show-log [DB]         print the records; with -m rows, with -mm columns too
  check [DB]                    read all of DB and check it
  salvage DB NEW [SCHEMA]       write what is whole of a damaged DB to NEW
  position [DB]                 print how far the history of DB goes: EPOCH/INDEX/DIGEST
  divergences [DIR|FILE]...     list the files of records that servers have set aside in DIR;
                                print those of FILE as transactions, one a line
  needs-conversion [DB [SCHEMA]]
                                print whether DB has another schema than SCHEMA
  db-name, db-version, db-cksum [DB]
                                print what DB says of its schema
  schema-name, schema-version, schema-cksum [SCHEMA]
                                print what SCHEMA says of itself
  db-is-standalone, db-is-clustered DB
                                exit with 0 if DB is of that kind, with 2 if not

Other commands:
  compare-versions A OP B       exit with 0 if A OP B holds, with 2 if not
  list-commands                 list the commands
  help                          print this

The default DB is {0}/conf.db.
The default SCHEMA is {1}/vswitch.ovsschema.
Clustered files are recognized, but nothing more can be done with them.

Options:
  -m, --more                    show more of each record
  --rbac-role=ROLE              execute the transaction in that role
  -vSPEC, --verbose=SPEC        set log levels; without SPEC, everything
  --log-file[=FILE]             log to FILE (default: {2}/ovsdb-tool.log)
  --syslog-method=(libc|unix:FILE|udp:IP:PORT|null)
                                how to reach the syslog daemon
  --syslog-target=IP:PORT       also send what goes to syslog there by UDP
  -o, --option                  list the options
  -h, --help                    print this
  -V, --version                 print the version
)",
      directories.db, directories.package_data, directories.log);
}

}  // namespace tandem::tool
