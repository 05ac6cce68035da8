#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "replication/position.h"

struct evp_md_ctx_st;

namespace tandem::storage {

/// SHA-1 of text that comes in pieces. One use: add() until finish().
class Sha1 {
 public:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  using Context = std::unique_ptr<evp_md_ctx_st, Free>;

  Sha1();
  Sha1(const Sha1&) = delete;
  Sha1& operator=(const Sha1&) = delete;
  ~Sha1();

  Sha1& add(std::string_view piece);
  RecordSha1 finish();

 private:
  Context context_;
};

/// 40 lower-case hexadecimal digits.
std::string to_hex(const RecordSha1& sha1);

}  // namespace tandem::storage
