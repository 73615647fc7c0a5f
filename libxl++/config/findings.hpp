// SPDX-License-Identifier: Apache-2.0
// Findings: collects what is wrong during one parse, and turns it into sorted Diagnostics at the
// end. Borrows the sources. Used by one thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "libxl++/config/diagnostic.hpp"
#include "libxl++/config/source_text.hpp"

namespace xl::config {

class Findings {
 public:
  explicit Findings(std::span<const SourceText> sources) : sources_(sources) {}

  void error(Span span, std::string message, std::string hint = {});
  void warning(Span span, std::string message, std::string hint = {});
  // About a source as a whole.
  void error_in(std::uint32_t source, std::string message, std::string hint = {});

  bool has_errors() const { return has_errors_; }
  // No use in looking for more.
  bool full() const;
  // Sorted by position (what concerns a whole source comes behind its other findings), each once,
  // at most max_diagnostics and one that says that others follow.
  std::vector<Diagnostic> take() &&;

 private:
  struct Finding {
    Severity severity;
    bool whole_source;
    Span span;
    std::string message;
    std::string hint;
  };
  void sort();
  Diagnostic describe(Finding&& finding) const;

  std::span<const SourceText> sources_;
  std::vector<Finding> findings_;
  bool has_errors_ = false;
};

}  // namespace xl::config
