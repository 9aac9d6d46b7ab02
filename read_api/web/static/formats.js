// Numbers and times as the server writes them (read_api/web/formats.py), for what comes while the page is open.
export class Formats {
  constructor({ formats, zone }) {
    this.kinds = formats;
    this.locale = document.documentElement.dataset.locale || "en";
    this.zone = zone;
    this.numbers = new Map();
  }

  value(kind, value) {
    if (value === null || value === undefined) return "–";
    if (this.kinds[kind]) return this.number(kind, Number(value));
    if (kind === "day") return this.day(value);
    if (kind === "moment") return this.moment(value);
    if (kind === "month") return this.date({ year: "numeric", month: "short" }, `${value}-01`);
    if (kind === "weekday") return this.date({ weekday: "short" }, Date.UTC(2024, 0, 1 + value)); // a Monday
    return text(value);
  }

  figure(kind, value) {
    if (kind === "money" && value !== null && Math.abs(Number(value)) >= 10000) return this.decimal(Number(value), 0, 0);
    return this.value(kind, value);
  }

  day(value) {
    return this.date({ dateStyle: "medium" }, value);
  }

  date(shape, value) {
    return new Intl.DateTimeFormat(this.locale, { ...shape, timeZone: "UTC" }).format(new Date(value));
  }

  moment(value) {
    const shape = { dateStyle: "medium", timeStyle: "medium", timeZone: this.zone };
    return new Intl.DateTimeFormat(this.locale, shape).format(new Date(value));
  }

  clock(value) {
    const day = (moment) => new Intl.DateTimeFormat("en", { timeZone: this.zone, dateStyle: "short" }).format(moment);
    if (day(new Date(value)) !== day(new Date())) return this.moment(value);
    return new Intl.DateTimeFormat(this.locale, { timeStyle: "medium", timeZone: this.zone }).format(new Date(value));
  }

  number(kind, value) {
    const { percent, least, most, suffix, small } = this.kinds[kind];
    if (percent) return `${this.decimal(value * 100, least, most)} %`;
    return this.decimal(value, least, small && Math.abs(value) < 10 ** -most ? small : most) + suffix;
  }

  decimal(value, least, most) {
    const key = `${least} ${most}`;
    if (!this.numbers.has(key)) {
      const shape = { minimumFractionDigits: least, maximumFractionDigits: most, roundingMode: "halfEven" };
      this.numbers.set(key, new Intl.NumberFormat(this.locale, shape));
    }
    return this.numbers.get(key).format(value);
  }
}

function text(value) {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map(text).join(" → ");
  if (typeof value === "object") return Object.entries(value).map(([name, each]) => `${name}: ${text(each)}`).join(", ");
  return String(value);
}
