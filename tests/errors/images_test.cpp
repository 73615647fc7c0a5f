// SPDX-License-Identifier: Apache-2.0
// Kernels, ramdisks and the domains that are built of them.
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "hypervisor-iface/fake/fake_hypervisor.hpp"
#include "libdomainbuilder/build.hpp"
#include "libdomainbuilder/image/decode.hpp"
#include "tests/errors/goldens.hpp"
#include "tests/libdomainbuilder/fixtures/images.hpp"
#include "tests/libdomainbuilder/fixtures/temp_dir.hpp"

namespace xl::build {
namespace {

using namespace fixture;
using errors::Goldens;

Error fault_of(const Blob& file) {
  auto buffer = ImageBuffer::create(file.size());
  std::copy(file.begin(), file.end(), (*buffer)->writable().begin());
  const Decoded decoded = decode_image("k", *buffer);
  EXPECT_TRUE(decoded.fault);
  return decoded.fault.value_or(Error{});
}

Error fault_of(const ElfSpec& spec) {
  return fault_of(make_elf(spec));
}

template <typename T>
Blob poked(Blob blob, std::size_t at, T value) {
  poke(blob, at, value);
  return blob;
}

ElfSpec with_notes(const std::vector<NoteSpec>& notes) {
  ElfSpec spec = pvh_spec();
  spec.notes = make_notes(notes);
  return spec;
}

ElfSpec with_entry(std::uint64_t entry, unsigned width) {
  return with_notes({number_note(NoteType::phys32_entry, entry, width)});
}

TEST(ErrorTexts, KernelsWithoutAnEntry) {
  Goldens golden("kernel-entry");
  golden.add("no note at all", fault_of(with_notes({})));
  golden.add("a PV kernel's notes", fault_of(with_notes({number_note(NoteType::entry, 1, 8)})));
  golden.add("classic PVH",
             fault_of(with_notes({number_note(NoteType::entry, 0xffffffff81000000, 8),
                                  number_note(NoteType::hypercall_page, 0xffffffff81001000, 8),
                                  number_note(NoteType::supported_features, 0x90d, 4)})));
  golden.add("a note of three bytes", fault_of(with_entry(0x100000, 3)));
  golden.add("an entry that 32 bits do not hold", fault_of(with_entry(0x1'0010'0000, 8)));
  golden.add("an entry outside the segments", fault_of(with_entry(0xfffff, 4)));
}

TEST(ErrorTexts, FilesThatAreNoKernel) {
  Goldens golden("kernel-format");
  const auto elf = [](std::uint16_t machine, std::uint16_t type, unsigned elf_class = 64) {
    ElfSpec spec = pvh_spec(elf_class);
    spec.machine = machine;
    spec.type = type;
    return fault_of(spec);
  };
  ElfSpec empty = pvh_spec();
  empty.loads = {{0x100000, {}, 0}};
  golden.add("nothing", fault_of(Blob()));
  golden.add("text", fault_of(to_blob("kernel = \"vmlinuz\"\nmemory = 64\n")));
  golden.add("a script", fault_of(to_blob("#!/bin/sh\n")));
  golden.add("an initrd", fault_of(to_blob("070701000000")));
  golden.add("a gzipped initrd", fault_of(compress(Compression::gzip, to_blob("070701000000"))));
  golden.add("a zstd initrd", fault_of(compress(Compression::zstd, to_blob("070701000000"))));
  golden.add("zeros", fault_of(Blob(4096)));
  golden.add("an Image of arm64", fault_of(poked(Blob(4096), 0x38, 0x644d5241U)));
  golden.add("another machine", elf(EM_AARCH64, ET_EXEC));
  golden.add("a machine without a name", elf(0x4242, ET_EXEC));
  golden.add("a module", elf(EM_X86_64, ET_REL));
  golden.add("a core dump", elf(EM_X86_64, ET_CORE));
  golden.add("i386 in 64 bits", elf(EM_386, ET_EXEC));
  golden.add("big-endian", fault_of(poked(pvh_kernel(), EI_DATA, std::uint8_t{ELFDATA2MSB})));
  golden.add("no known class", fault_of(poked(pvh_kernel(), EI_CLASS, std::uint8_t{9})));
  golden.add("an old bzImage", fault_of(make_bzimage({.protocol = 0x0207})));
  golden.add(
      "a zImage",
      fault_of(poked(make_bzimage({.payload = make_payload(Compression::gzip, pvh_kernel())}),
                     0x211, std::uint8_t{0})));
  golden.add("a payload of no known format", fault_of(make_bzimage({.payload = Blob(64)})));
  golden.add("a payload that is no kernel",
             fault_of(make_bzimage({.payload = make_payload(Compression::xz, Blob(64))})));
  golden.add(
      "a payload that would be huge",
      fault_of(make_bzimage(
          {.payload = poked(make_payload(Compression::lz4, Blob(64)),
                            make_payload(Compression::lz4, Blob(64)).size() - 4, 0xfffffff0U)})));
  golden.add("nothing to load", fault_of(empty));
}

TEST(ErrorTexts, DamagedKernels) {
  Goldens golden("kernel-damaged");
  constexpr std::size_t phoff = 32, phentsize = 54, phnum = 56, first = 64;
  const Blob kernel = pvh_kernel();
  const auto elf = [&](std::size_t at, auto value) { return fault_of(poked(kernel, at, value)); };
  golden.add("the header cut", fault_of(Blob(kernel.begin(), kernel.begin() + 40)));
  golden.add("the identity cut", fault_of(Blob(kernel.begin(), kernel.begin() + 8)));
  golden.add("program headers beyond the end", elf(phoff, std::uint64_t{1} << 30));
  golden.add("no program headers", elf(phnum, std::uint16_t{0}));
  golden.add("too many of them", elf(phnum, std::uint16_t{0xffff}));
  golden.add("of a wrong size", elf(phentsize, std::uint16_t{57}));
  golden.add("a segment beyond the end", elf(first + 32, std::uint64_t{0x10000}));
  golden.add("larger in the file", elf(first + 40, std::uint64_t{1}));
  golden.add("beyond 64 bits", elf(first + 24, ~std::uint64_t{4096}));
  ElfSpec overlapping = pvh_spec();
  overlapping.loads.push_back({0x104fff, Blob(16, std::byte{1})});
  golden.add("segments that overlap", fault_of(overlapping));
  ElfSpec notes = pvh_spec();
  poke(notes.notes, 4, 0x10000U);
  golden.add("notes that lie", fault_of(notes));
  const auto bzimage = [](const Blob& payload) {
    return fault_of(make_bzimage({.payload = payload}));
  };
  const auto whole = make_bzimage({.payload = make_payload(Compression::gzip, kernel)});
  golden.add("a payload beyond the end", fault_of(poked(whole, 0x24c, 0x10000000U)));
  golden.add("a header that is cut", fault_of(Blob(whole.begin(), whole.begin() + 0x220)));
  golden.add("a payload of three bytes", bzimage(to_blob("\x02\x21\x4c")));
  golden.add("a gzip file of garbage", fault_of(to_blob("\x1f\x8b nonsense")));
  for (const Compression format :
       {Compression::gzip, Compression::bzip2, Compression::lzma, Compression::xz, Compression::lzo,
        Compression::lz4, Compression::zstd}) {
    const std::string name(to_string(format));
    const Blob good = make_payload(format, kernel);
    const auto size = static_cast<std::uint32_t>(kernel.size());
    golden.add(name + ", larger than it declares",
               bzimage(poked(good, good.size() - 4, size - 4096)));
    golden.add(name + ", smaller", bzimage(poked(good, good.size() - 4, size + 4096)));
    Blob cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(good.size() / 2));
    cut.resize(cut.size() + 4);
    golden.add(name + ", cut", bzimage(poked(cut, cut.size() - 4, size)));
    if (format == Compression::zstd) {
      continue;  // it has no checksum here
    }
    golden.add(name + ", garbage within",
               bzimage(poked(good, good.size() / 2, 0xa5a5a5a5a5a5a5a5ULL)));
  }
}

class ErrorTextsOfBuilds : public testing::Test {
 protected:
  ErrorTextsOfBuilds() {
    request_.kernel = directory_.write("vmlinuz", pvh_kernel());
    request_.memory = request_.max_memory = mib(32);
  }
  Result<Prepared> with(BuildRequest request) { return prepare(request, cache_); }
  Result<Prepared> with_kernel(const Blob& kernel) {
    BuildRequest request = request_;
    request.kernel = directory_.write("kernel", kernel);
    return with(request);
  }

  TempDir directory_;
  ImageCache cache_{mib(64)};
  BuildRequest request_;
};

TEST_F(ErrorTextsOfBuilds, Files) {
  Goldens golden("image-files");
  golden.hide(directory_.path(""), "DIR/");
  const auto kernel = [&](const std::string& path) {
    BuildRequest request = request_;
    request.kernel = path;
    return with(request);
  };
  golden.add("no such file", kernel(directory_.path("none")));
  golden.add("a directory", kernel(directory_.path("")));
  golden.add("a device", kernel("/dev/null"));
  const std::string large = directory_.write("large", pvh_kernel());
  ASSERT_EQ(::truncate(large.c_str(), 1LL << 31), 0);
  golden.add("two gigabytes", kernel(large));

  const std::string changing = directory_.write("changing", pvh_kernel());
  const auto file = open_file(changing, "a kernel");
  ASSERT_TRUE(file);
  ASSERT_EQ(::chmod(changing.c_str(), 0600), 0);
  directory_.write("changing", pvh_kernel(32));
  golden.add("changed meanwhile", read_start(*file, 64));
  ASSERT_EQ(::truncate(changing.c_str(), 10), 0);
  Blob bytes(100);
  golden.add("shorter meanwhile", read_exactly(*file, 0, bytes));

  BuildRequest ramdisk = request_;
  ramdisk.ramdisk = directory_.path("none");
  golden.add("no such ramdisk", with(ramdisk));
  ramdisk.ramdisk = directory_.write("initrd", {});
  golden.add("an empty ramdisk", with(ramdisk));
}

TEST_F(ErrorTextsOfBuilds, Layouts) {
  Goldens golden("layout");
  golden.hide(directory_.path(""), "DIR/");
  ElfSpec spec = pvh_spec();
  spec.loads.front().physical = 0x1'0000'0000;
  spec.notes = make_notes({number_note(NoteType::phys32_entry, 0x100000, 4)});
  spec.loads.push_back({0x100000, Blob(16, std::byte{1})});
  golden.add("a segment above the memory", with_kernel(make_elf(spec)));
  spec = pvh_spec();
  spec.loads.emplace_back();
  spec.loads.back() = {0xfc000000, Blob(16, std::byte{1})};
  golden.add("a segment over the ACPI tables", with_kernel(make_elf(spec)));

  BuildRequest request = request_;
  Blob ramdisk(40 << 20);
  request.ramdisk = directory_.write("initrd", ramdisk);
  golden.add("a ramdisk larger than the memory", with(request));
  request = request_;
  request.memory = Bytes(100);
  golden.add("100 bytes of memory", with(request));
  request = request_;
  request.vcpus = 9;
  golden.add("9 of 1 vcpus", with(request));
  request = request_;
  request.command_line = std::string(5000, 'x');
  golden.add("a long command line", with(request));
  request.command_line = std::string("a\0b", 3);
  golden.add("a NUL in the command line", with(request));
}

TEST_F(ErrorTextsOfBuilds, Execution) {
  Goldens golden("execution");
  hv::fake::FakeHypervisor hypervisor;
  const auto prepared = with(request_);
  ASSERT_TRUE(prepared);
  const auto build = [&](std::stop_token cancel = {}) {
    hv::DomainOptions options;
    options.max_memory = prepared->pages_needed();
    return execute(hypervisor, *hypervisor.create_domain(options), *prepared, cancel);
  };
  std::stop_source source;
  source.request_stop();
  golden.add("called off", build(source.get_token()));
  for (const auto& [call, when] : {std::pair{hv::fake::Call::populate_physmap, "no memory"},
                                   {hv::fake::Call::map_frames, "no mapping"},
                                   {hv::fake::Call::event_alloc_unbound, "no event channel"}}) {
    hypervisor.fail_nth(call);
    golden.add(when, build());
  }
}

}  // namespace
}  // namespace xl::build
