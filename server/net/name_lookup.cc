#include "server/net/name_lookup.h"

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <thread>

#include "server/posix/signal_stack.h"

namespace tandem::net {

struct NameLookup::Answer {
  std::atomic<State> state = State::kPending;
  SocketAddress address;  ///< written before `state`
};

NameLookup::NameLookup(const std::string& host, std::uint16_t port)
    : answer_(std::make_shared<Answer>()) {
  if (const auto address = SocketAddress::numeric(host, port)) {
    answer_->address = *address;
    answer_->state = State::kFound;
    return;
  }
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  // A crash is to be reported.
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) sigdelset(&all, fault);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  std::thread([answer = answer_, host, port] {
    const SignalStack signal_stack;
    const auto address = SocketAddress::look_up(host, port);
    if (address) answer->address = *address;
    answer->state = address ? State::kFound : State::kUnknown;
  }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

NameLookup::State NameLookup::state() const { return answer_->state; }

const SocketAddress& NameLookup::address() const { return answer_->address; }

}  // namespace tandem::net
