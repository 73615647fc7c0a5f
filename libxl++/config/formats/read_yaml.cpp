// SPDX-License-Identifier: Apache-2.0
// YAML by the events of yaml-cpp, never by its nodes: so that depth, size and what aliases stand
// for are bounded while the text is read, and every value keeps its place. yaml-cpp is not used
// outside this file; its exceptions do not leave it.
#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "libxl++/config/characters.hpp"
#include "libxl++/config/formats/document.hpp"
#include "libxl++/config/formats/readers.hpp"
#include "libxl++/config/parse.hpp"

namespace xl::config {
namespace {

constexpr std::size_t max_yaml_size = 256 * 1024;

// Thrown through yaml-cpp, which has no other way to be stopped, and caught in this file.
struct Stop {
  std::size_t offset;
  std::size_t length;
  std::string message;
  std::string hint = {};
};

std::size_t size_of(const Node& node) {
  std::size_t size = 1;
  for (const Node& item : node.items) size += size_of(item);
  for (const Member& member : node.members) size += size_of(member.value);
  return size;
}

// Builds the Node of the first document.
class Builder : public YAML::EventHandler {
 public:
  Builder(std::string_view text, std::uint32_t source) : text_(text), source_(source) {}

  std::optional<Node> take_root() && { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    put(Node{Node::Kind::null, span(mark, 1)}, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::list, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::map, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor;
    std::optional<Member> key;  // of a map, while its value is awaited
  };

  std::size_t offset_of(const YAML::Mark& mark) const {
    return std::min(static_cast<std::size_t>(std::max(mark.pos, 0)), text_.size());
  }
  Span span(const YAML::Mark& mark, std::size_t length) const {
    return {source_, static_cast<std::uint32_t>(offset_of(mark)),
            static_cast<std::uint32_t>(length)};
  }
  std::size_t skip_properties(std::size_t at) const;
  std::size_t quoted_end(std::size_t at) const;
  std::size_t scalar_end(std::size_t at, const std::string& value) const;
  void check_tag(const YAML::Mark& mark, const std::string& tag) const;
  void count(std::size_t nodes, const Span& where);
  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor);
  void close();
  void put(Node node, YAML::anchor_t anchor);

  std::string_view text_;
  std::uint32_t source_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Node> anchors_;
  std::optional<Node> root_;
  std::size_t nodes_ = 0;
};

// Behind "&anchor" and "!tag".
std::size_t Builder::skip_properties(std::size_t at) const {
  while (at < text_.size() && (text_[at] == '&' || text_[at] == '!')) {
    at = std::min(text_.find_first_of(" \t\r\n", at), text_.size());
    at = std::min(text_.find_first_not_of(" \t\r\n", at), text_.size());
  }
  return at;
}

// Behind the closing quote of the string at `at`; npos if there is none, which yaml-cpp lets pass.
std::size_t Builder::quoted_end(std::size_t at) const {
  const char quote = text_[at];
  for (std::size_t end = at + 1; end < text_.size(); ++end) {
    if (quote == '"' && text_[end] == '\\') {
      ++end;
    } else if (text_[end] == quote) {
      const bool doubled = quote == '\'' && text_.substr(end + 1).starts_with('\'');
      if (!doubled) return end + 1;
      ++end;
    }
  }
  return std::string_view::npos;
}

// On the same line: that is all that is shown of it.
std::size_t Builder::scalar_end(std::size_t at, const std::string& value) const {
  const std::size_t line_end = std::min(text_.find_first_of("\r\n", at), text_.size());
  if (at < line_end && (text_[at] == '"' || text_[at] == '\'')) {
    const std::size_t end = quoted_end(at);
    if (end == std::string_view::npos) {
      throw Stop{at, line_end - at, "the string that begins here is not closed",
                 fmt::format("add the closing {}", text_[at])};
    }
    return std::min(end, line_end);
  }
  if (!value.empty() && text_.substr(at).starts_with(value)) return at + value.size();
  return line_end;
}

void Builder::check_tag(const YAML::Mark& mark, const std::string& tag) const {
  constexpr std::string_view core = "tag:yaml.org,2002:";
  if (tag.empty() || tag == "?" || tag == "!" || tag == std::string(core) + "str" ||
      tag == std::string(core) + "int" || tag == std::string(core) + "bool" ||
      tag == std::string(core) + "seq" || tag == std::string(core) + "map") {
    return;
  }
  throw Stop{offset_of(mark), 1, fmt::format("the tag '{}' means nothing here", printable(tag)),
             "remove it"};
}

void Builder::count(std::size_t nodes, const Span& where) {
  nodes_ += nodes;
  if (nodes_ > max_document_nodes) {
    throw Stop{where.offset, where.length,
               fmt::format("more than {} values, aliases counted as what they stand for",
                           max_document_nodes)};
  }
}

void Builder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const auto known = anchors_.find(anchor);
  const std::size_t at = offset_of(mark);
  const std::size_t end = std::min(text_.find_first_of(" \t\r\n,]}", at), text_.size());
  if (known == anchors_.end()) {
    throw Stop{at, end - at, "an alias within what it stands for"};
  }
  count(size_of(known->second), span(mark, end - at));
  Node copy = known->second;
  copy.span = span(mark, end - at);
  put(std::move(copy), 0);
}

void Builder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       const std::string& value) {
  check_tag(mark, tag);
  const std::size_t begin = skip_properties(offset_of(mark));
  Node node{Node::Kind::text,
            {source_, static_cast<std::uint32_t>(begin),
             static_cast<std::uint32_t>(scalar_end(begin, value) - begin)},
            value};
  const bool plain = tag != "!" && !tag.ends_with(":str");
  if (plain && (value == "true" || value == "True" || value == "TRUE")) {
    node.kind = Node::Kind::boolean;
    node.text = "true";
  } else if (plain && (value == "false" || value == "False" || value == "FALSE")) {
    node.kind = Node::Kind::boolean;
    node.text = "false";
  } else if (plain && reads_as_number(value)) {
    node.kind = Node::Kind::number;
  }
  if (value.find('\0') != std::string::npos || find_invalid_utf8(value) != std::string::npos) {
    throw Stop{node.span.offset, node.span.length, "an escape here stands for no character"};
  }
  count(1, node.span);
  put(std::move(node), anchor);
}

void Builder::open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag,
                   YAML::anchor_t anchor) {
  check_tag(mark, tag);
  const Span where = span(mark, 1);
  if (open_.size() > max_nesting) {
    throw Stop{where.offset, 1,
               fmt::format("values are nested more than {} deep here", max_nesting)};
  }
  count(1, where);
  open_.push_back({Node{kind, where}, anchor, {}});
}

void Builder::close() {
  Open done = std::move(open_.back());
  open_.pop_back();
  Span& span = done.node.span;
  Span last = span;
  if (!done.node.items.empty()) last = done.node.items.back().span;
  if (!done.node.members.empty()) last = done.node.members.back().value.span;
  span.length = std::max(span.offset + span.length, last.offset + last.length) - span.offset;
  put(std::move(done.node), done.anchor);
}

void Builder::put(Node node, YAML::anchor_t anchor) {
  if (anchor != 0) anchors_[anchor] = node;
  if (open_.empty()) {
    root_ = std::move(node);
    return;
  }
  Open& around = open_.back();
  if (around.node.kind == Node::Kind::list) {
    around.node.items.push_back(std::move(node));
  } else if (around.key) {
    around.key->value = std::move(node);
    around.node.members.push_back(std::move(*around.key));
    around.key.reset();
  } else if (node.kind == Node::Kind::list || node.kind == Node::Kind::map ||
             node.kind == Node::Kind::null) {
    throw Stop{node.span.offset, 1, "expected a key"};
  } else if (node.text == "<<") {
    throw Stop{node.span.offset, 2, "merge keys are not YAML 1.2", "write the keys out"};
  } else {
    // A key is its text: true is the key "true".
    around.key =
        Member{std::string(text_.substr(node.span.offset, node.span.length)), node.span, {}};
    if (node.kind != Node::Kind::boolean) around.key->name = node.text;
  }
}

void parse_yaml(const SourceText& text, Builder& builder) {
  std::istringstream stream{std::string(text.text())};
  YAML::Parser parser(stream);
  if (!parser.HandleNextDocument(builder)) return;
  struct Second : YAML::EventHandler {
    void OnDocumentStart(const YAML::Mark& mark) override {
      throw Stop{static_cast<std::size_t>(std::max(mark.pos, 0)), 1,
                 "a second document begins here", "a file describes one domain"};
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
    void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
    void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  const std::string&) override {}
    void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                         YAML::EmitterStyle::value) override {}
    void OnSequenceEnd() override {}
    void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                    YAML::EmitterStyle::value) override {}
    void OnMapEnd() override {}
  } second;
  parser.HandleNextDocument(second);
}

}  // namespace

void read_yaml(const SourceText& text, std::uint32_t source, Findings& findings,
               std::vector<Assignment>& assignments) {
  if (text.text().size() > max_yaml_size) {
    findings.error_in(source, fmt::format("more than {} KiB of YAML; this is no domain config",
                                          max_yaml_size >> 10));
    return;
  }
  if (!admit_characters(text, source, findings)) return;
  Builder builder(text.text(), source);
  const auto refuse = [&](const Stop& stop) {
    const std::size_t at = std::min(stop.offset, text.text().size());
    findings.error(
        {source, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(stop.length)},
        stop.message, stop.hint);
  };
  try {
    parse_yaml(text, builder);
  } catch (const Stop& stop) {
    return refuse(stop);
  } catch (const YAML::Exception& error) {
    const bool placed = !error.mark.is_null() && error.mark.pos >= 0;
    return refuse({placed ? static_cast<std::size_t>(error.mark.pos) : 0, 1,
                   "not YAML: " + printable(error.msg, 200)});
  }
  // An empty text is an empty map.
  if (const std::optional<Node> root = std::move(builder).take_root();
      root && root->kind != Node::Kind::null) {
    assign_document(*root, findings, assignments);
  }
}

}  // namespace xl::config
