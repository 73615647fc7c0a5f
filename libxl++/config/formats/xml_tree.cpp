// SPDX-License-Identifier: Apache-2.0
// libxml2 as a SAX2 parser. Entities can come only from a document type, and one is an error where
// it begins; with that there is nothing to expand and nothing to load. XML_PARSE_NONET stands
// behind it.
#include "libxl++/config/formats/xml_tree.hpp"

#include <fmt/format.h>
#include <libxml/parser.h>
#include <libxml/xmlerror.h>

#include <algorithm>
#include <memory>
#include <new>
#include <utility>

#include "libxl++/config/characters.hpp"
#include "libxl++/config/formats/readers.hpp"
#include "libxl++/config/parse.hpp"

namespace xl::config {
namespace {

struct FreeContext {
  void operator()(xmlParserCtxt* context) const { xmlFreeParserCtxt(context); }
};
using Context = std::unique_ptr<xmlParserCtxt, FreeContext>;

std::string_view view(const xmlChar* text) {
  // SAFETY: xmlChar is libxml2's name for an octet of UTF-8; char may look at any octet.
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

std::string_view view(const xmlChar* text, std::size_t size) {
  // SAFETY: as above; the caller gives its size.
  return {reinterpret_cast<const char*>(text), size};
}

// What the callbacks work on.
class TreeBuilder {
 public:
  TreeBuilder(const SourceText& text, std::uint32_t source, Findings& findings)
      : text_(text.text()), source_(source), findings_(findings) {}

  void set_context(xmlParserCtxt* context) { context_ = context; }
  bool failed() const { return failed_; }
  std::optional<XmlElement> take_root() { return std::move(root_); }

  void open(const xmlChar* name, const xmlChar* uri, std::span<const xmlChar* const> attributes);
  void close();
  void add_text(std::string_view text);
  void refuse_doctype();
  void refuse(const xmlError& error);

 private:
  std::size_t here() const {
    const auto behind = static_cast<std::size_t>(std::max<long>(xmlByteConsumed(context_), 0));
    return std::min(behind, text_.size());
  }
  Span span(std::size_t begin, std::size_t end) const {
    return {source_, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end - begin)};
  }
  void fail_at(Span where, std::string message, std::string hint = {});
  Span find_value(std::size_t tag, std::string_view name) const;

  std::string_view text_;
  std::uint32_t source_;
  Findings& findings_;
  xmlParserCtxt* context_ = nullptr;
  std::vector<XmlElement> open_;
  std::optional<XmlElement> root_;
  std::size_t elements_ = 0;
  bool failed_ = false;
};

void TreeBuilder::fail_at(Span where, std::string message, std::string hint) {
  if (failed_) return;
  failed_ = true;
  findings_.error(where, std::move(message), std::move(hint));
  xmlStopParser(context_);
}

// The place of an attribute's value in the tag that begins at `tag`: values hold no '<', and the
// parser has found the tag well-formed.
Span TreeBuilder::find_value(std::size_t tag, std::string_view name) const {
  constexpr std::string_view blanks = " \t\r\n";
  std::size_t at = std::min(text_.find_first_of(" \t\r\n/>", tag), text_.size());
  while (at < text_.size()) {
    at = std::min(text_.find_first_not_of(blanks, at), text_.size());
    const std::size_t sign = text_.find('=', at);
    if (sign == std::string_view::npos) break;
    std::string_view found = text_.substr(at, sign - at);
    found = found.substr(0, found.find_last_not_of(blanks) + 1);
    const std::size_t begin = text_.find_first_of("\"'", sign);
    if (begin == std::string_view::npos) break;
    const std::size_t end = text_.find(text_[begin], begin + 1);
    if (end == std::string_view::npos) break;
    if (found == name) return span(begin, end + 1);
    at = end + 1;
  }
  return span(tag, tag + 1);
}

void TreeBuilder::open(const xmlChar* name, const xmlChar* uri,
                       std::span<const xmlChar* const> attributes) {
  if (failed_) return;
  const std::size_t end = here();
  const std::size_t before = text_.substr(0, end).rfind('<');
  const std::size_t tag = before == std::string_view::npos ? 0 : before;
  const std::size_t name_end = std::min(text_.find_first_of(" \t\r\n/>", tag), text_.size());
  XmlElement element{std::string(view(name)), std::string(view(uri)), span(tag + 1, name_end), {}};
  if (open_.size() >= max_nesting) {
    return fail_at(element.span,
                   fmt::format("elements are nested more than {} deep here", max_nesting));
  }
  if (++elements_ > max_xml_elements) {
    return fail_at(element.span, fmt::format("more than {} elements", max_xml_elements));
  }
  const std::size_t begin = std::min(text_.find('>', end), text_.size() - 1) + 1;
  const std::size_t stop = std::min(text_.find_first_of("<\r\n", begin), text_.size());
  element.text_span = stop > begin ? span(begin, stop) : element.span;
  for (std::size_t at = 0; at + 4 < attributes.size(); at += 5) {
    if (attributes[at + 2] != nullptr) continue;  // of another namespace
    const auto size = static_cast<std::size_t>(attributes[at + 4] - attributes[at + 3]);
    const std::string_view attribute = view(attributes[at]);
    element.attributes.push_back({std::string(attribute),
                                  std::string(view(attributes[at + 3], size)),
                                  find_value(tag, attribute)});
  }
  open_.push_back(std::move(element));
}

void TreeBuilder::close() {
  if (failed_ || open_.empty()) return;
  XmlElement done = std::move(open_.back());
  open_.pop_back();
  if (open_.empty()) {
    root_ = std::move(done);
  } else {
    open_.back().children.push_back(std::move(done));
  }
}

void TreeBuilder::add_text(std::string_view text) {
  if (!failed_ && !open_.empty()) open_.back().text += text;
}

void TreeBuilder::refuse_doctype() {
  const std::size_t at = text_.substr(0, here()).rfind("<!DOCTYPE");
  const std::size_t begin = at == std::string_view::npos ? 0 : at;
  fail_at(span(begin, begin + 9),
          "a document type is not taken: what it declares could expand without bound",
          "remove <!DOCTYPE ...>; a domain needs none");
}

void TreeBuilder::refuse(const xmlError& error) {
  if (error.level < XML_ERR_ERROR) return;
  std::string message = error.message == nullptr ? "unknown error" : error.message;
  while (!message.empty() && (message.back() == '\n' || message.back() == ' ')) message.pop_back();
  const std::size_t at = here();
  fail_at(span(at, at), "not well-formed XML: " + printable(message, 200));
}

TreeBuilder& builder_of(void* context) {
  return *static_cast<TreeBuilder*>(static_cast<xmlParserCtxt*>(context)->_private);
}

void on_open(void* context, const xmlChar* name, const xmlChar*, const xmlChar* uri, int,
             const xmlChar**, int count, int, const xmlChar** attributes) {
  builder_of(context).open(name, uri, {attributes, static_cast<std::size_t>(count) * 5});
}
void on_close(void* context, const xmlChar*, const xmlChar*, const xmlChar*) {
  builder_of(context).close();
}
void on_text(void* context, const xmlChar* text, int size) {
  builder_of(context).add_text(view(text, static_cast<std::size_t>(size)));
}
void on_doctype(void* context, const xmlChar*, const xmlChar*, const xmlChar*) {
  builder_of(context).refuse_doctype();
}
void on_error(void* context, xmlError* error) {
  builder_of(context).refuse(*error);
}

xmlSAXHandler handler() {
  xmlSAXHandler sax{};
  sax.initialized = XML_SAX2_MAGIC;
  sax.startElementNs = on_open;
  sax.endElementNs = on_close;
  sax.characters = on_text;
  sax.ignorableWhitespace = on_text;
  sax.cdataBlock = on_text;
  sax.internalSubset = on_doctype;
  sax.serror = on_error;
  return sax;
}

}  // namespace

const XmlElement* XmlElement::child(std::string_view wanted) const {
  const auto at = std::find_if(children.begin(), children.end(), [&](const XmlElement& element) {
    return element.name == wanted && element.namespace_uri.empty();
  });
  return at == children.end() ? nullptr : &*at;
}

const XmlAttribute* XmlElement::attribute(std::string_view wanted) const {
  const auto at = std::find_if(attributes.begin(), attributes.end(),
                               [&](const XmlAttribute& one) { return one.name == wanted; });
  return at == attributes.end() ? nullptr : &*at;
}

std::optional<XmlElement> read_xml_tree(const SourceText& text, std::uint32_t source,
                                        Findings& findings) {
  if (!admit_characters(text, source, findings)) return std::nullopt;
  static const bool initialised = (xmlInitParser(), true);
  (void)initialised;
  const std::string_view all = text.text();
  const Context context(xmlNewParserCtxt());
  if (!context) throw std::bad_alloc();
  TreeBuilder builder(text, source, findings);
  builder.set_context(context.get());
  xmlSAXHandler sax = handler();
  *context->sax = sax;
  context->_private = &builder;
  context->userData = context.get();
  // It is UTF-8, whatever it declares itself to be. The handler makes no document.
  xmlDoc* const none = xmlCtxtReadMemory(context.get(), all.data(), static_cast<int>(all.size()),
                                         nullptr, nullptr, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
  if (none != nullptr) xmlFreeDoc(none);
  std::optional<XmlElement> root = builder.take_root();
  if (!root && !builder.failed()) findings.error({source, 0, 0}, "not XML: there is no element");
  return builder.failed() ? std::nullopt : std::move(root);
}

}  // namespace xl::config
