// Requests on the control socket.

#include "protocol/framer.h"
#include "protocol/jsonrpc.h"
#include "server/control/command_registry.h"
#include "server/control/standard_commands.h"
#include "tests/fuzz/fuzz.h"

namespace tandem::fuzz {
namespace {

void answer(const control::CommandRegistry& registry, const JsonRpcMessage& request) {
  // They reach for files.
  for (const std::string_view unwanted : {"vlog/reopen", "vlog/close"}) {
    if (request.method == unwanted) return;
  }
  control::Arguments arguments;
  for (const JsonView param : request.params.elements()) {
    if (!param.is_string()) return;
    arguments.emplace_back(param.get_string());
  }
  int answers = 0;
  registry.run(std::string(request.method), arguments,
               control::Reply([&](const Result<std::string>&) { answers++; }));
  require(answers == 1, "a command is answered once");
}

}  // namespace
}  // namespace tandem::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tandem;
  using namespace tandem::fuzz;
  static const EventRates events;
  static const control::CommandRegistry registry = [] {
    control::CommandRegistry commands;
    control::add_standard_commands(commands, events, [] {});
    return commands;
  }();
  Framer framer(1U << 20U);
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (;;) {
    auto value = framer.next(bytes);
    if (!value || !*value) return 0;
    const auto message = JsonRpcMessage::from_json(std::move(**value));
    if (message && message->kind == JsonRpcMessage::Kind::kRequest) answer(registry, *message);
  }
}
