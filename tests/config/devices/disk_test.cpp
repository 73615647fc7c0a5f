// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/devices/disk.hpp"

#include <gtest/gtest.h>

#include "tests/config/devices/spec_text.hpp"

namespace xl::config {
namespace {

std::string outcome(const std::string& spec) {
  return spec_text(parse_disk(spec), spec);
}

TEST(Disk, PositionsAndKeywordsSayTheSame) {
  const ParsedSpec<Disk> byposition = parse_disk("/dev/vg/guest-volume,raw,hda,rw");
  ASSERT_TRUE(byposition.value);
  for (const char* same :
       {"/dev/vg/guest-volume,,hda", "format=raw, vdev=hda, access=rw, target=/dev/vg/guest-volume",
        "raw:/dev/vg/guest-volume,hda,w", "phy:/dev/vg/guest-volume,hda,w",
        "tap:aio:/dev/vg/guest-volume,hda,w", "/dev/vg/guest-volume,,hda,,"}) {
    EXPECT_EQ(parse_disk(same).value, byposition.value) << same;
  }
  EXPECT_EQ(byposition.value->device, *parse_vdev("hda"));
}

TEST(Disk, EveryParameterHasItsPlace) {
  EXPECT_EQ(
      outcome("/x,qcow2,xvda,r,backend=d,backendtype=qdisk,script=s,direct-io-safe,no-discard,"
              "untrusted,specification=virtio,colo,colo-host=h,colo-port=9,colo-export=e,"
              "active-disk=a,hidden-disk=b"),
      R"({"backend_domname":"d","pdev_path":"/x","vdev":"xvda","backend":"qdisk","format":"qcow2",)"
      R"("script":"s","direct_io_safe":true,"discard_enable":"False","specification":"virtio",)"
      R"("colo_enable":"True","colo_host":"h","colo_port":9,"colo_export":"e","active_disk":"a",)"
      R"("hidden_disk":"b","trusted":"False"})"
      "\n");
}

TEST(Disk, TargetTakesTheRest) {
  const ParsedSpec<Disk> disk = parse_disk("vdev=xvda,target=nbd:host,format=x: ");
  ASSERT_TRUE(disk.value);
  EXPECT_EQ(disk.value->target, "nbd:host,format=x: ");
}

TEST(Disk, CdromsAreReadOnlyAndMayBeEmpty) {
  for (const char* empty : {",hdc:cdrom,r", "vdev=hdc,cdrom", ",,hdc,,cdrom"}) {
    const ParsedSpec<Disk> disk = parse_disk(empty);
    ASSERT_TRUE(disk.value) << empty;
    EXPECT_TRUE(disk.value->cdrom);
    EXPECT_FALSE(disk.value->read_write);
    EXPECT_EQ(disk.value->format, DiskFormat::empty);
  }
  EXPECT_EQ(outcome("/i,,hdc,rw,cdrom"),
            "spec:1:9: warning: a cdrom is read-only, whatever the access mode says\n"
            "    /i,,hdc,rw,cdrom\n"
            "            ^~\n"
            "  hint: remove the access mode, or write 'ro'\n"
            R"({"pdev_path":"/i","vdev":"hdc","format":"raw","removable":1,"is_cdrom":1})"
            "\n");
}

TEST(Disk, WordsGoOnOneBehindTheOther) {
  const std::string words[] = {"/x,raw", "xvda", "backend=d"};
  const ParsedSpec<Disk> disk = parse_disk(words);
  ASSERT_TRUE(disk.value);
  EXPECT_EQ(disk.value->vdev, "xvda");
  EXPECT_EQ(disk.value->backend, "d");
  const std::string wrong[] = {"/x,raw", "xvda", "w,bakend=d"};
  EXPECT_EQ(render(describe_spec(parse_disk(wrong).findings, "disk", wrong)),
            "disk:1:15: error: a disk has no parameter 'bakend'\n"
            "    /x,raw xvda w,bakend=d\n"
            "                  ^~~~~~\n"
            "  hint: did you mean 'backend'?\n");
}

TEST(Disk, EachErrorPointsAtItsCause) {
  EXPECT_EQ(outcome("/x,qcow3,xvda"),
            "spec:1:4: error: 'qcow3' is not a format\n"
            "    /x,qcow3,xvda\n"
            "       ^~~~~\n"
            "  hint: did you mean 'qcow'?\n");
  EXPECT_EQ(outcome("/x,iso,xvda"),
            "spec:1:4: error: 'iso' is not a format\n"
            "    /x,iso,xvda\n"
            "       ^~~\n"
            "  hint: there are: raw, qcow, qcow2, vhd, qed, empty\n");
  EXPECT_EQ(outcome("/x,,xvda,q"),
            "spec:1:10: error: 'q' is not an access mode\n"
            "    /x,,xvda,q\n"
            "             ^\n"
            "  hint: did you mean 'w'?\n");
  EXPECT_EQ(outcome("/x"),
            "spec:1:1: error: the disk has no vdev\n"
            "    /x\n"
            "    ^~\n"
            "  hint: say under what name the guest sees it, as third parameter or as vdev=xvda\n");
  EXPECT_EQ(outcome("vdev=xvda"),
            "spec:1:1: error: the disk has no target\n"
            "    vdev=xvda\n"
            "    ^~~~~~~~~\n"
            "  hint: name a block device or an image file; only a cdrom may go without\n");
  EXPECT_EQ(outcome("/x,,xvda,w,discard "),
            "spec:1:12: error: 'discard ' is one parameter too many\n"
            "    /x,,xvda,w,discard \n"
            "               ^~~~~~~~\n"
            "  hint: by position there are target, format, vdev and access; flags are written "
            "exactly, without blanks behind them\n");
  EXPECT_EQ(outcome("/x,,xvda,w,backend=a,backend=b"),
            "spec:1:30: error: backend is given a second time, as 'b'\n"
            "    /x,,xvda,w,backend=a,backend=b\n"
            "                                 ^\n"
            "  hint: keep one of the two\n");
  EXPECT_EQ(outcome("/a=b,,xvda"),
            "spec:1:1: error: '/a=b' holds a '='\n"
            "    /a=b,,xvda\n"
            "    ^~~~\n"
            "  hint: write such a target last, as target=...\n");
  EXPECT_EQ(outcome("/x,,xvda,w,discard=1"),
            "spec:1:12: error: 'discard' takes no value\n"
            "    /x,,xvda,w,discard=1\n"
            "               ^~~~~~~~~\n"
            "  hint: write discard\n");
  EXPECT_EQ(outcome("/x,,hde,w"),
            "spec:1:5: error: 'hde' is a disk beyond the last one, hdd\n"
            "    /x,,hde,w\n"
            "        ^~~\n"
            "  hint: xvd* names have no such limit\n");
  EXPECT_EQ(outcome("/x,,hda:floppy,w"),
            "spec:1:9: error: 'floppy' is not a devtype\n"
            "    /x,,hda:floppy,w\n"
            "            ^~~~~~\n"
            "  hint: there are: cdrom, disk\n");
  EXPECT_EQ(outcome("/x,,xvda,w,colo-port=x"),
            "spec:1:22: error: 'x' is not a port\n"
            "    /x,,xvda,w,colo-port=x\n"
            "                         ^\n"
            "  hint: a port is a number from 1 to 65535\n");
}

TEST(Disk, AllErrorsOfASpecAreFoundAtOnce) {
  EXPECT_EQ(parse_disk("/x,vmdk,hdx,q,foo=1,backendtype=z").findings.size(), 5u);
}

TEST(Disk, ControlCharactersAreRefused) {
  EXPECT_FALSE(parse_disk("/x\n,,xvda").value);
  EXPECT_FALSE(parse_disk(std::string("/x\0,,xvda", 9)).value);
}

}  // namespace
}  // namespace xl::config
