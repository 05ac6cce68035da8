#include "protocol/jsonrpc.h"

#include <catch2/catch.hpp>

#include "protocol/json/json_reader.h"

using namespace tandem;

namespace {

using Kind = JsonRpcMessage::Kind;

std::string error_of(std::string_view text) {
  const auto message = JsonRpcMessage::from_json(parse_json(text).value());
  return message ? "none" : message.error().details;
}

JsonRpcMessage read(std::string_view text) {
  return JsonRpcMessage::from_json(parse_json(text).value()).value();
}

}  // namespace

TEST_CASE("the members tell the kind of message") {
  CHECK(read(R"({"id":1,"method":"echo","params":[]})").kind == Kind::kRequest);
  CHECK(read(R"({"id":null,"method":"echo","params":[]})").kind == Kind::kNotification);
  CHECK(read(R"({"method":"echo","params":[]})").kind == Kind::kNotification);
  CHECK(read(R"({"id":1,"result":5,"error":null})").kind == Kind::kReply);
  CHECK(read(R"({"id":1,"result":null,"error":"x"})").kind == Kind::kError);
  CHECK(read(R"({"id":1,"method":"echo","params":[],"result":null,"error":null})").kind ==
        Kind::kRequest);
}

TEST_CASE("a request is read") {
  const auto request = read(R"({"id":["a",1],"method":"transact","params":["DB",{"op":"abort"}]})");
  CHECK(request.method == "transact");
  CHECK(to_text(request.params) == R"(["DB",{"op":"abort"}])");
  CHECK(request.id.text() == R"(["a",1])");
}

TEST_CASE("what is not JSON-RPC is an error in ovsdb-server's words") {
  CHECK(error_of("[]") == "message is not a JSON object");
  CHECK(error_of("{}") == R"(notification must have "method")");
  CHECK(error_of(R"({"method":"x"})") == R"(notification must have "params")");
  CHECK(error_of(R"({"id":1})") == R"(request must have "method")");
  CHECK(error_of(R"({"id":1,"method":"x"})") == R"(request must have "params")");
  CHECK(error_of(R"({"id":1,"method":"x","params":null})") == R"(request must have "params")");
  CHECK(error_of(R"({"id":1,"method":"x","params":{}})") == R"("params" must be JSON array)");
  CHECK(error_of(R"({"id":1,"method":5,"params":[]})") == "method is not a JSON string");
  CHECK(error_of(R"({"id":1,"method":null,"params":[]})") == "method is not a JSON string");
  CHECK(error_of(R"({"id":1,"method":"x","params":[],"result":5})") ==
        R"(reply must not have "method")");
  CHECK(error_of(R"({"id":1,"method":"x","params":[],"error":5})") ==
        R"(error must not have "method")");
  CHECK(error_of(R"({"id":1,"result":5,"params":[]})") == R"(reply must not have "params")");
  CHECK(error_of(R"({"id":1,"result":6,"error":5})") == R"(reply must not have "error")");
  CHECK(error_of(R"({"result":5})") == R"(reply must have "id")");
  CHECK(error_of(R"({"error":5})") == R"(error must have "id")");
  CHECK(error_of(R"({"id":1,"zz":1,"yy":2})") == R"(message has unexpected member "yy")");
}

TEST_CASE("the parts of a message stay valid when it is moved") {
  JsonRpcMessage first = read(R"({"id":"a","method":"m\u00e4","params":[1,"x"]})");
  const JsonRpcMessage message = std::move(first);
  CHECK(message.method == "mä");
  CHECK(message.params[1].get_string() == "x");
  CHECK(message.id == JsonId::of_string("a"));
  CHECK_FALSE(message.result);
}

TEST_CASE("texts made without a document are messages") {
  CHECK(make_notification("up\"date", "[1]") == R"({"method":"up\"date","id":null,"params":[1]})");
  CHECK(make_request("echo", "[]", JsonId(5)) == R"({"method":"echo","id":5,"params":[]})");
  CHECK(read(make_reply(JsonId::of_string("a"), "[{}]")).kind == Kind::kReply);
  CHECK(to_text(read(make_error_reply(JsonId(3), R"("canceled")")).error) == R"("canceled")");
}
