#include "protocol/result_writer.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "protocol/stepwise_sort.h"

namespace tandem {
namespace {

/// A call of write() looks at so many.
constexpr std::size_t kRowsPerCall = 256;

struct ColumnsHash {
  const std::vector<ColumnIndex>* columns;
  std::size_t operator()(const Row* row) const {
    std::size_t hash = 0;
    for (const ColumnIndex column : *columns) hash = hash * 31 + row->view(column).hash();
    return hash;
  }
};

struct ColumnsEqual {
  const std::vector<ColumnIndex>* columns;
  bool operator()(const Row* a, const Row* b) const {
    return std::all_of(columns->begin(), columns->end(),
                       [&](ColumnIndex c) { return a->view(c) == b->view(c); });
  }
};

struct ColumnsLess {
  const std::vector<ColumnIndex>* columns;
  bool operator()(const RowRef& a, const RowRef& b) const {
    for (const ColumnIndex column : *columns) {
      const auto order = compare(a->view(column), b->view(column));
      if (order != 0) return order < 0;
    }
    return false;
  }
};

/// Every result but a select's.
void append_result_json(std::string& out, const OperationResult& result) {
  struct Visitor {
    std::string& out;
    void operator()(const EmptyResult&) const { out += "{}"; }
    void operator()(const CountResult& r) const {
      out += "{\"count\":";
      append_json_integer(out, static_cast<std::int64_t>(r.count));
      out += '}';
    }
    void operator()(const InsertedResult& r) const {
      out += "{\"uuid\":";
      append_atom_json(out, r.uuid);
      out += '}';
    }
    void operator()(const RowsResult&) const {}
    void operator()(const Error& error) const { error.append_json(out); }
  };
  std::visit(Visitor{out}, result);
}

}  // namespace

/// The rows of one select: the first of those that are equal in all columns, sorted.
class ResultWriter::Rows {
 public:
  explicit Rows(RowsResult& result)
      : result_(result),
        seen_(is_distinct() ? 0 : result.rows.size(), ColumnsHash{&result.columns},
              ColumnsEqual{&result.columns}) {}

  /// True when all is written. Takes what it looks at off `rows`.
  bool write(std::string& out, std::size_t end, std::size_t& rows) {
    if (phase_ == Phase::kFind) find(rows);
    if (phase_ == Phase::kDropDuplicates) drop_duplicates(rows);
    if (phase_ == Phase::kSort) sort(rows);
    return phase_ == Phase::kWrite && write_rows(out, end, rows);
  }

 private:
  enum class Phase : std::uint8_t {
    kFind,            ///< more of them
    kDropDuplicates,  ///< those before next_ are different
    kSort,
    kWrite,  ///< those before next_ are written, and gone
  };

  bool is_distinct() const {
    const auto& columns = result_.columns;
    return std::find(columns.begin(), columns.end(), kUuidColumn) != columns.end();
  }

  void find(std::size_t& rows) {
    if (result_.more != nullptr && !result_.more->find_some(place_, result_.rows, rows)) return;
    result_.more.reset();
    phase_ = is_distinct() ? Phase::kSort : Phase::kDropDuplicates;
  }

  void drop_duplicates(std::size_t& rows) {
    for (; next_ < result_.rows.size() && rows > 0; ++next_, --rows) {
      if (!seen_.insert(result_.rows[next_].get()).second) continue;
      if (kept_ != next_) result_.rows[kept_] = std::move(result_.rows[next_]);
      ++kept_;
    }
    if (next_ < result_.rows.size()) return;
    result_.rows.resize(kept_);
    seen_.clear();
    next_ = 0;
    phase_ = Phase::kSort;
  }

  void sort(std::size_t& rows) {
    if (!result_.sort.empty() && !sort_.step(rows)) return;
    phase_ = Phase::kWrite;
  }

  bool write_rows(std::string& out, std::size_t end, std::size_t& rows) {
    if (!std::exchange(begun_, true)) out += "{\"rows\":[";
    for (; next_ < result_.rows.size(); ++next_, --rows) {
      if (rows == 0 || out.size() >= end) return false;
      if (next_ > 0) out += ',';
      append_row_json(out, *result_.table, *result_.rows[next_], result_.columns);
      result_.rows[next_].reset();
    }
    out += "]}";
    return true;
  }

  RowsResult& result_;
  std::unordered_set<const Row*, ColumnsHash, ColumnsEqual> seen_;
  StepwiseSort<RowRef, ColumnsLess> sort_{result_.rows, ColumnsLess{&result_.sort}};
  Phase phase_ = Phase::kFind;
  std::size_t place_ = 0;  ///< of the search
  std::size_t next_ = 0;
  std::size_t kept_ = 0;
  bool begun_ = false;
};

ResultWriter::ResultWriter(TransactResult result) : result_(std::move(result)) {}
ResultWriter::~ResultWriter() = default;
ResultWriter::ResultWriter(ResultWriter&&) noexcept = default;

std::vector<OperationResult> ResultWriter::take_rest() {
  rows_.reset();
  return std::move(result_.results);
}

bool ResultWriter::write(std::string& out, std::size_t bytes) {
  const std::size_t end = out.size() + bytes;
  std::size_t rows = kRowsPerCall;
  const std::size_t count = std::max(result_.results.size(), result_.count);
  if (!std::exchange(begun_, true)) out += '[';
  for (; next_ < count; ++next_) {
    if (out.size() >= end || rows == 0) return false;
    if (next_ > 0 && rows_ == nullptr) out += ',';
    if (next_ >= result_.results.size()) {
      out += "null";
    } else if (auto* const found = std::get_if<RowsResult>(&result_.results[next_])) {
      if (rows_ == nullptr) rows_ = std::make_unique<Rows>(*found);
      if (!rows_->write(out, end, rows)) return false;
      rows_.reset();
    } else {
      append_result_json(out, result_.results[next_]);
    }
  }
  out += ']';
  return true;
}

}  // namespace tandem
