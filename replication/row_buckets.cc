#include "replication/row_buckets.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

#include "protocol/hex.h"
#include "protocol/json/member_writer.h"
#include "protocol/type.h"

namespace tandem {
namespace {

constexpr std::size_t kRowsPerBucket = 32;
constexpr std::size_t kMaxBuckets = std::size_t{1} << 20;
/// Of all tables together: enough for 64 million rows.
constexpr std::size_t kMaxSums = kMaxBuckets * 2;

constexpr std::size_t kDigits = 32;

bool valid_count(std::size_t buckets) {
  return std::has_single_bit(buckets) && buckets <= kMaxBuckets;
}

}  // namespace

/// Digests of rows, one after the other. SHA-256, cut to 128 bits: equal sums are to mean equal
/// rows.
class RowBuckets::RowDigester {
 public:
  RowDigester() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    if (context_ == nullptr) std::abort();
  }

  Sum digest(const TableSchema& table, const Row& row) {
    text_.clear();
    row.uuid().append_to(text_);
    append_row_contents(text_, table, row);
    unsigned char hash[EVP_MAX_MD_SIZE];
    if (!EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) ||
        !EVP_DigestUpdate(context_.get(), text_.data(), text_.size()) ||
        !EVP_DigestFinal_ex(context_.get(), hash, nullptr))
      std::abort();  // only a broken OpenSSL has no SHA-256
    return {number(hash), number(hash + 8)};
  }

 private:
  static std::uint64_t number(const unsigned char* bytes) {
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value = value << 8 | bytes[i];
    return value;
  }
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
  std::string text_;
};

void append_row_contents(std::string& out, const TableSchema& table, const Row& row) {
  out += '{';
  MemberWriter members(out);
  for (ColumnIndex i = kFirstOwnColumn; i < table.columns.size(); ++i) {
    const ColumnSchema& column = table.column(i);
    if (row.datum(i) == column.default_value) continue;
    append_datum_json(members.name(column.name), row.view(i), Reals::kExact);
  }
  out += '}';
}

// --- BucketScope ---

bool BucketScope::contains(TableIndex table, const Uuid& row) const {
  const std::vector<bool>& chosen = chosen_[table];
  return !chosen.empty() && chosen[RowBuckets::bucket_of(row, chosen.size())];
}

bool BucketScope::is_empty() const {
  return std::all_of(chosen_.begin(), chosen_.end(), [](const std::vector<bool>& chosen) {
    return std::find(chosen.begin(), chosen.end(), true) == chosen.end();
  });
}

void BucketScope::append_json(std::string& out, const DatabaseSchema& schema) const {
  out += '{';
  MemberWriter tables(out);
  for (TableIndex table = 0; table < chosen_.size(); ++table) {
    const std::vector<bool>& chosen = chosen_[table];
    if (std::find(chosen.begin(), chosen.end(), true) == chosen.end()) continue;
    tables.name(schema.table(table).name) += '[';
    append_json_integer(out, static_cast<std::int64_t>(chosen.size()));
    out += ",[";
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (!chosen[i]) continue;
      append_json_integer(out, static_cast<std::int64_t>(i));
      out += ',';
    }
    out.back() = ']';
    out += ']';
  }
  out += '}';
}

Result<BucketScope> BucketScope::from_json(const DatabaseSchema& schema, JsonView value) {
  const Error bad = syntax_error(nullptr, "Parsing buckets failed");
  if (!value.is_object()) return bad;
  BucketScope scope(schema.tables().size());
  for (const auto& [name, entry] : value.members()) {
    const std::optional<TableIndex> table = schema.find_table(name);
    std::int64_t count = 0;
    if (!table || !entry.is_array() || entry.size() != 2 || !as_integer(entry[0], count) ||
        count < 1 || !valid_count(static_cast<std::size_t>(count)) || !entry[1].is_array())
      return bad;
    std::vector<bool> chosen(static_cast<std::size_t>(count));
    for (const JsonView number : entry[1].elements()) {
      std::int64_t bucket = 0;
      if (!as_integer(number, bucket) || bucket < 0 || bucket >= count) return bad;
      chosen[static_cast<std::size_t>(bucket)] = true;
    }
    scope.set(*table, std::move(chosen));
  }
  return scope;
}

// --- RowBuckets ---

RowBuckets RowBuckets::of(const DatabaseSchema& schema, const RowSource& rows) {
  RowBuckets result;
  for (TableIndex table = 0; table < schema.tables().size(); ++table) {
    std::size_t count = 0;
    rows(table, [&count](const RowRef&) { ++count; });
    const std::size_t buckets = std::bit_ceil(std::max<std::size_t>(count / kRowsPerBucket, 1));
    result.tables_.emplace_back(std::min(buckets, kMaxBuckets));
  }
  RowDigester digester;
  for (TableIndex table = 0; table < schema.tables().size(); ++table) {
    rows(table, [&](const RowRef& row) { result.add(digester, schema, table, *row); });
  }
  return result;
}

RowBuckets RowBuckets::zeros_like(const RowBuckets& like) {
  RowBuckets result;
  for (const std::vector<Sum>& sums : like.tables_) result.tables_.emplace_back(sums.size());
  return result;
}

void RowBuckets::add(const DatabaseSchema& schema, TableIndex table, std::span<const RowRef> rows) {
  RowDigester digester;
  for (const RowRef& row : rows) {
    if (row) add(digester, schema, table, *row);
  }
}

void RowBuckets::add(RowDigester& digester, const DatabaseSchema& schema, TableIndex table,
                     const Row& row) {
  std::vector<Sum>& sums = tables_[table];
  const Sum digest = digester.digest(schema.table(table), row);
  Sum& sum = sums[bucket_of(row.uuid(), sums.size())];
  sum.hi += digest.hi;
  sum.lo += digest.lo;
}

BucketScope RowBuckets::difference(const RowBuckets& other) const {
  BucketScope scope(tables_.size());
  for (TableIndex table = 0; table < tables_.size(); ++table) {
    std::vector<bool> chosen(tables_[table].size());
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      chosen[i] = !(tables_[table][i] == other.tables_[table][i]);
    }
    scope.set(table, std::move(chosen));
  }
  return scope;
}

void RowBuckets::append_json(std::string& out, const DatabaseSchema& schema) const {
  out += '{';
  MemberWriter tables(out);
  for (TableIndex table = 0; table < tables_.size(); ++table) {
    tables.name(schema.table(table).name) += '"';
    for (const Sum& sum : tables_[table])
      fmt::format_to(std::back_inserter(out), "{:016x}{:016x}", sum.hi, sum.lo);
    out += '"';
  }
  out += '}';
}

Result<RowBuckets> RowBuckets::from_json(const DatabaseSchema& schema, JsonView value) {
  const Error bad = syntax_error(nullptr, "Parsing bucket sums failed");
  if (!value.is_object()) return bad;
  RowBuckets result;
  std::size_t total = 0;
  for (const TableSchema& table : schema.tables()) {
    const JsonView entry = value.find(table.name);
    if (!entry) {
      result.tables_.emplace_back(1);
      continue;
    }
    if (!entry.is_string()) return bad;
    const std::string_view text = entry.get_string();
    const std::size_t count = text.size() / kDigits;
    total += count;
    if (text.size() % kDigits != 0 || !valid_count(count) || total > kMaxSums) return bad;
    std::vector<Sum> sums(count);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const std::string_view sum = std::string_view(text).substr(i * kDigits, kDigits);
      if ((read_hex(sum.substr(0, 16), sums[i].hi) | read_hex(sum.substr(16), sums[i].lo)) >=
          kNoHexDigit)
        return bad;
    }
    result.tables_.push_back(std::move(sums));
  }
  return result;
}

}  // namespace tandem
