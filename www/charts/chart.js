// A chart fills its element's width and is drawn again when that changes.
import { LitElement } from 'lit';

export class Chart extends LitElement {
  static properties = { width: { state: true } };

  #observer = new ResizeObserver(([entry]) => {
    this.width = Math.max(160, Math.round(entry.contentRect.width));
  });

  constructor() {
    super();
    this.width = 0;
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    this.#observer.observe(this);
  }

  disconnectedCallback() {
    this.#observer.disconnect();
    super.disconnectedCallback();
  }
}
