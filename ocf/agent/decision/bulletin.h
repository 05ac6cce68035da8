#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ocf/agent/decision/copy.h"

namespace tandem::agent {

/// A notice that one instance has published of itself. A value; the text of the attribute is
/// WORD,NB-EPOCH,NB-INDEX,SB-EPOCH,SB-INDEX,NODE,FORMAT,ROUND,SYNC,NB-DIGEST,SB-DIGEST,NB-TAKEN,
/// SB-TAKEN. Each reads as many fields as it knows: agents of the first format as far as NODE.
struct Notice {
  static constexpr int kFormat = 2;

  enum class Word : std::uint8_t {
    kActive,  ///< promoted
    kLive,    ///< a backup that follows the active
    kCut,     ///< a backup that does not
    kFinal,   ///< a backup's answer to the question before a promotion
    kSilent,  ///< the same, but it cannot be promoted: its servers do not answer, or have failed to
    kStopped,  ///< the servers do not run any more
  };

  Word word = Word::kCut;
  Copy copy;
  std::string node;
  std::string host{};  ///< whose attribute it is
  int format = kFormat;
  std::string round = "-";  ///< the question that this answers
  /// The epochs that promotions which this node has seen coming may have opened; 0: none.
  Pair<Epoch> taken{};

  /// "final,5,100,5,90,ctl1,2,..."
  std::string to_text() const;
  /// Nothing if it cannot be understood.
  static std::optional<Notice> parse(std::string_view text, const std::string& host);

  /// A copy that could be promoted.
  bool is_candidate() const { return word != Word::kSilent && word != Word::kStopped; }
};

std::string to_string(Notice::Word word);

/// All that was published, and how it was come by.
struct Bulletin {
  bool readable = false;  ///< the cluster has answered
  std::vector<Notice> notices;

  const Notice* of(const std::string& node) const;
};

}  // namespace tandem::agent
