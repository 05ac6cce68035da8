#include "server/database/access_control.h"

#include "engine.h"

using namespace tandem;

namespace {

constexpr std::string_view kSchema = R"({"name":"T","tables":{
  "own":{"columns":{"owner":{"type":"string"},"x":{"type":"integer"},"y":{"type":"integer"},
    "ids":{"type":{"key":"string","value":"string","min":0,"max":"unlimited"}}}},
  "shared":{"columns":{"x":{"type":"integer"}}},
  "fixed":{"columns":{"owner":{"type":"string"},"x":{"type":"integer"}}},
  "other":{"columns":{"x":{"type":"integer"}}},
  "RBAC_Role":{"columns":{"name":{"type":"string"},"permissions":{"type":{"key":"string","value":{"type":"uuid","refTable":"RBAC_Permission","refType":"weak"},"min":0,"max":"unlimited"}}}},
  "RBAC_Permission":{"columns":{"table":{"type":"string"},"authorization":{"type":{"key":"string","min":0,"max":"unlimited"}},
    "insert_delete":{"type":"boolean"},"update":{"type":{"key":"string","min":0,"max":"unlimited"}}}}}})";

std::string permission(std::string_view name, std::string_view row) {
  return R"({"op":"insert","table":"RBAC_Permission","uuid-name":")" + std::string(name) +
         R"(","row":)" + std::string(row) + "}";
}

/// A database with a role R, and client "me" in it.
struct Guarded : Engine {
  Guarded() : Engine(kSchema) {
    transact(
        permission(
            "own",
            R"({"table":"elsewhere","authorization":["set",["owner","ids:host"]],"insert_delete":true,"update":["set",["x"]]})"),
        permission("shared", R"({"authorization":"","insert_delete":true,"update":"x"})"),
        permission("fixed", R"({"authorization":"owner","insert_delete":false,"update":"x"})"),
        R"({"op":"insert","table":"RBAC_Role","row":{"name":"R","permissions":["map",[["own",["named-uuid","own"]],)"
        R"(["shared",["named-uuid","shared"]],["fixed",["named-uuid","fixed"]]]]}})",
        R"({"op":"insert","table":"own","row":{"owner":"me"}})",
        R"({"op":"insert","table":"own","row":{"owner":"you"}})",
        R"({"op":"insert","table":"fixed","row":{"owner":"me"}})");
    context.role = "R";
    context.client_id = "me";
  }
  std::string last(const std::string& operation) { return details_of_last(transact(operation)); }
};

std::string prohibited(std::string_view what) {
  return R"(RBAC rules for client "me" role "R" prohibit )" + std::string(what);
}

}  // namespace

TEST_CASE("a client may insert rows that it owns, by a column or a map's value") {
  Guarded engine;
  CHECK(engine.last(R"({"op":"insert","table":"own","row":{"owner":"you"}})") ==
        prohibited(R"(row insertion into table "own".)"));
  CHECK(engine.last(R"({"op":"insert","table":"own","row":{"owner":"me"}})")
            .starts_with(R"({"uuid")"));
  CHECK(engine.last(R"({"op":"insert","table":"own","row":{"ids":["map",[["host","me"]]]}})")
            .starts_with(R"({"uuid")"));
  CHECK(engine.last(R"({"op":"insert","table":"own","row":{"ids":["map",[["guest","me"]]]}})") ==
        prohibited(R"(row insertion into table "own".)"));
  CHECK(engine.last(R"({"op":"insert","table":"shared","row":{}})").starts_with(R"({"uuid")"));
}

TEST_CASE("a client without a name owns nothing, and a map without a key shows no owner") {
  Guarded engine;
  engine.context.client_id = "";
  const std::string refused =
      R"~(RBAC rules for client "(null)" role "R" prohibit row insertion into table "own".)~";
  CHECK(engine.last(R"({"op":"insert","table":"own","row":{"owner":""}})") == refused);
  CHECK(engine.last(R"({"op":"insert","table":"shared","row":{}})").starts_with(R"({"uuid")"));
  engine.context = {};
  engine.transact(
      R"({"op":"update","table":"RBAC_Permission","where":[],"row":{"authorization":["set",["ids","ids:"]]}})");
  engine.context.role = "R";
  engine.context.client_id = "me";
  CHECK(engine.last(
            R"({"op":"insert","table":"own","row":{"ids":["map",[["","me"],["host","me"]]]}})") ==
        prohibited(R"(row insertion into table "own".)"));
}

TEST_CASE(
    "a table without permission, and one without insert_delete, takes no rows and loses none") {
  Guarded engine;
  CHECK(engine.last(R"({"op":"insert","table":"other","row":{}})") ==
        prohibited(R"(row insertion into table "other".)"));
  CHECK(engine.last(R"({"op":"insert","table":"fixed","row":{"owner":"me"}})") ==
        prohibited(R"(row insertion into table "fixed".)"));
  CHECK(engine.last(R"({"op":"delete","table":"fixed","where":[]})") ==
        prohibited(R"(row deletion from table "fixed".)"));
  CHECK(engine.last(R"({"op":"delete","table":"other","where":[]})") ==
        prohibited(R"(row deletion from table "other".)"));
}

TEST_CASE("a client may update listed columns of rows that it owns") {
  Guarded engine;
  const std::string mine = R"([["owner","==","me"]])";
  CHECK(engine.last(R"({"op":"update","table":"own","where":)" + mine + R"(,"row":{"x":1}})") ==
        R"({"count":1})");
  CHECK(engine.last(R"({"op":"update","table":"own","where":)" + mine +
                    R"(,"row":{"x":1,"y":1}})") == prohibited(R"(modification of table "own".)"));
  CHECK(engine.last(R"({"op":"update","table":"own","where":[],"row":{"x":1}})") ==
        prohibited(R"(modification of table "own".)"));
  CHECK(engine.last(
            R"({"op":"update","table":"own","where":[["owner","==","nobody"]],"row":{"y":1}})") ==
        R"({"count":0})");
  CHECK(engine.last(R"({"op":"update","table":"other","where":[],"row":{"x":1}})") ==
        prohibited(R"(modification of table "other".)"));
}

TEST_CASE("a client may mutate as it may update, and anyone may count rows") {
  Guarded engine;
  CHECK(
      engine.last(
          R"({"op":"mutate","table":"own","where":[["owner","==","me"]],"mutations":[["x","+=",1]]})") ==
      R"({"count":1})");
  CHECK(engine.last(R"({"op":"mutate","table":"own","where":[],"mutations":[["x","+=",1]]})") ==
        prohibited(R"(mutate operation on table "own".)"));
  CHECK(engine.last(R"({"op":"mutate","table":"own","where":[],"mutations":[]})") ==
        R"({"count":2})");
}

TEST_CASE("a client may delete rows that it owns") {
  Guarded engine;
  CHECK(engine.last(R"({"op":"delete","table":"own","where":[]})") ==
        prohibited(R"(row deletion from table "own".)"));
  CHECK(engine.last(R"({"op":"delete","table":"own","where":[["owner","==","me"]]})") ==
        R"({"count":1})");
}

TEST_CASE("reading is never refused, nor anything to a connection without a role") {
  Guarded engine;
  CHECK(engine.last(R"({"op":"select","table":"other","where":[]})") == R"({"rows":[]})");
  engine.context.role = "";
  CHECK(engine.last(R"({"op":"delete","table":"own","where":[]})") == R"({"count":2})");
}

TEST_CASE("a role that nobody defined may only read") {
  Guarded engine;
  engine.context.role = "S";
  CHECK(engine.last(R"({"op":"delete","table":"shared","where":[]})") ==
        R"(RBAC rules for client "me" role "S" prohibit row deletion from table "shared".)");
}
