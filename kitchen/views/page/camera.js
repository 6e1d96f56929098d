// From when to when is shown. It knows no page: Node tests it. `duration`: how long all there is to show lasts by now.

const MARGIN = 1.02; // the axis reaches a little beyond the end
const CLOSEST = 1e-6; // so much of the whole can still fill the picture

// The last time at which a picture of this size can begin, and still show something.
const last = (size, duration) => Math.max(0, Math.min(duration, duration * MARGIN - size));

export class Camera {
  constructor() {
    this.fit(0);
  }

  get size() {
    return this.to - this.from;
  }

  // The time at this part of the way from the left edge to the right one.
  timeAt(part) {
    return this.from + part * this.size;
  }

  // The part of the way at which a time lies.
  partOf(time) {
    return (time - this.from) / this.size;
  }

  sees(time) {
    return time >= this.from && time <= this.to;
  }

  // Shows everything up to `until`.
  fit(until) {
    [this.from, this.to, this.fitted] = [0, until * MARGIN || 1, true];
  }

  // Another film: an axis that showed everything does so still, and shrinks not, since one that stays lets one compare.
  reach(duration) {
    if (this.fitted) this.fit(Math.max(duration, this.to / MARGIN));
    else this.pan(0, duration);
  }

  // A film that grows: an axis that showed everything gets room ahead, so that it need not change with every frame.
  grow(duration) {
    if (this.fitted && duration > this.to / MARGIN) this.fit(Math.max(0.25, duration * 1.5));
  }

  // Shows `factor` times as much; what is at the time `around` stays where it is.
  zoom(factor, around, duration) {
    const whole = duration * MARGIN || 1;
    const size = Math.min(whole, Math.max(this.size * factor, whole * CLOSEST));
    if (size === whole) return this.fit(duration);
    const middle = this.sees(around) ? around : (this.from + this.to) / 2;
    const from = Math.max(0, Math.min(middle - this.partOf(middle) * size, last(size, duration)));
    [this.from, this.to, this.fitted] = [from, from + size, false];
    return undefined;
  }

  pan(by, duration) {
    const { size } = this;
    const from = Math.max(0, Math.min(this.from + by, last(size, duration)));
    [this.from, this.to] = [from, from + size];
  }

  // Shows a range, as far as there is something.
  show(start, end, duration) {
    const whole = duration * MARGIN || 1;
    const from = Math.max(0, Math.min(start, duration));
    [this.from, this.to, this.fitted] = [from, Math.max(from + whole * CLOSEST, Math.min(whole, end)), false];
  }

  // Shows one piece, with some room around it.
  showPiece(start, end, duration) {
    const room = Math.max((end - start) / 4, (duration * MARGIN || 1) * 1e-4);
    this.show(start - room, end + room, duration);
  }

  // Brings a time into sight: into the middle, if it is out of it.
  bring(time, duration) {
    if (!this.sees(time)) this.pan(time - this.size / 2 - this.from, duration);
  }

  // Goes along with a playhead: when it leaves at the right, it comes in again at the left.
  follow(time, duration) {
    if (time > this.to) this.pan(time - this.from - this.size * 0.05, duration);
  }
}
